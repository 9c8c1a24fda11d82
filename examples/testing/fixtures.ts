// Take this file into your own tests.

import { type APIRequestContext, type Page, test as base, expect } from '@playwright/test';

/** Your shop, the Tillgate server, and the sandbox in place of myPOS. */
export const SHOP = 'http://localhost:5273';
export const TILLGATE = 'http://127.0.0.1:3100';
export const SANDBOX = 'http://localhost:3101';

/** Makes something go wrong at the gateway, and lets time pass. */
export class Sandbox {
  constructor(private readonly request: APIRequestContext) {}

  /** Switches faults on, such as `{ notify_lost: true }`; sandbox/README.md lists them. */
  async faults(faults: Record<string, boolean | { count?: number; percent?: number; value?: number }>): Promise<void> {
    expect((await this.request.put(`${SANDBOX}/sandbox/api/faults`, { data: faults })).ok()).toBe(true);
  }

  /** Everything works again. */
  async reset(): Promise<void> {
    expect((await this.request.delete(`${SANDBOX}/sandbox/api/faults`)).ok()).toBe(true);
  }

  /** Moves the clock of Tillgate and sandbox forward, and sends what is due by it. */
  async advanceClock(seconds: number): Promise<void> {
    expect((await this.request.post(`${SANDBOX}/sandbox/api/clock`, { data: { advance_s: seconds } })).ok()).toBe(true);
    expect((await this.request.post(`${SANDBOX}/sandbox/api/deliveries/run`)).ok()).toBe(true);
  }
}

/** Somebody who buys. */
export class Shopper {
  constructor(private readonly page: Page) {}

  /** Fills in the checkout and goes on to the payment page. */
  async goesToPay(): Promise<void> {
    const checkout = this.page.locator('tillgate-checkout');
    await checkout.getByLabel('Email address').fill('ada@example.com');
    await checkout.getByLabel('First name').fill('Ada');
    await checkout.getByLabel('Last name').fill('Lovelace');
    await checkout.getByLabel('Street and house number').fill('Torstraße 1');
    await checkout.getByLabel('Postcode').fill('10119');
    await checkout.getByLabel('Town or city').fill('Berlin');
    await checkout.getByLabel('Country').selectOption('DE');
    await checkout.getByRole('button', { name: /^Pay / }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: /^Pay / })).toBeVisible();
  }

  /** Pays with the card that is approved, and returns. */
  async pays(): Promise<void> {
    await this.page.getByRole('radio', { name: 'Test card that is approved' }).check();
    await this.page.getByRole('button', { name: /^Pay / }).click();
    await this.page.getByRole('button', { name: /^Return to / }).click();
  }

  /** Tries the card that is declined; the payment page stays. */
  async isDeclined(): Promise<void> {
    await this.page.getByRole('radio', { name: 'Test card that is declined' }).check();
    await this.page.getByRole('button', { name: /^Pay / }).click();
    await expect(this.page.getByRole('alert').filter({ hasText: 'The payment was declined.' })).toBeVisible();
  }

  /** Cancels, and returns. */
  async cancels(): Promise<void> {
    await this.page.getByRole('button', { name: /^Cancel and return to / }).click();
  }

  /** What the page after the payment says at its top. */
  async reads(heading: string, timeout = 5_000): Promise<void> {
    await expect(this.page.getByRole('heading', { level: 1, name: heading })).toBeVisible({ timeout });
  }
}

export const test = base.extend<{ sandbox: Sandbox; shopper: Shopper }>({
  sandbox: async ({ request }, use) => {
    const sandbox = new Sandbox(request);
    await sandbox.reset();
    await use(sandbox);
    await sandbox.reset();
  },
  shopper: async ({ page }, use) => use(new Shopper(page)),
});

export { expect };
