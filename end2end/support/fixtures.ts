/** What every test is given. */

import { test as base, expect } from '@playwright/test';

import { Guard } from './guard.ts';
import { Merchant } from './merchant.ts';
import { type Sandbox, withSandbox } from './sandbox.ts';
import { Shopper } from './shopper.ts';
import { type Addresses, Tillgate } from './tillgate.ts';

interface OfTest {
  /** Fails the test on what no page may do. */
  guard: Guard;
  /** The gateway, with everything working. */
  sandbox: Sandbox;
  /** Somebody who buys. */
  shopper: Shopper;
  /** Somebody who runs the shop, in the same browser. */
  merchant: Merchant;
  /** Where shop and sandbox are. */
  addresses: Addresses;
}

interface OfWorker {
  /** The worker's own shop and sandbox. */
  tillgate: Tillgate;
}

export const test = base.extend<OfTest, OfWorker>({
  tillgate: [
    async ({}, use, info) => {
      const tillgate = await Tillgate.start(`worker-${info.workerIndex}`);
      await use(tillgate);
      await tillgate.stop();
    },
    { scope: 'worker' },
  ],

  addresses: async ({ tillgate }, use) => use(tillgate.addresses),

  baseURL: async ({ addresses }, use) => use(addresses.shop),

  guard: [
    async ({ context, addresses }, use) => {
      const guard = new Guard(context, addresses);
      await use(guard);
      expect(guard.complaints()).toEqual([]);
    },
    { auto: true },
  ],

  sandbox: [
    async ({ playwright, addresses }, use) => withSandbox(playwright, addresses.sandbox, use),
    { auto: true },
  ],

  shopper: async ({ page, addresses, javaScriptEnabled }, use) => {
    await use(new Shopper(page, addresses, javaScriptEnabled ?? true));
  },

  merchant: async ({ page, tillgate }, use) => {
    await use(new Merchant(page, tillgate));
  },
});

export { expect };
