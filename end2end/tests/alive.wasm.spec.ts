/** The checkout before, while and after its WebAssembly comes alive. */

import type { Page } from '@playwright/test';

import { expect, test } from '../support/fixtures.ts';
import { Gate } from '../support/gate.ts';
import { MUG } from '../support/shopper.ts';

const BUNDLE = '**/pkg/**/*.wasm';

/** Holds the bundle back until the gate is opened. */
async function heldBack(page: Page): Promise<Gate> {
  const gate = new Gate();
  await page.route(BUNDLE, async (route) => {
    await gate.passed;
    await route.continue();
  });
  return gate;
}

test('what was typed and chosen before is kept', async ({ page, shopper }) => {
  const { checkout } = shopper;
  const gate = await heldBack(page);
  await shopper.hasInCart();
  await page.goto('/checkout', { waitUntil: 'commit' });
  await expect(checkout.updateCart).toBeVisible();
  await checkout.fill();
  await checkout.option('Express').check();
  await checkout.option('iDEAL').check();
  await checkout.quantity(MUG.name).fill('2');
  gate.open();
  await checkout.isReady();
  await checkout.hasTotal('€49.70');
  await checkout.isFilled();
  await expect(checkout.option('Express')).toBeChecked();
  await expect(checkout.option('iDEAL')).toBeChecked();
  await expect(checkout.quantity(MUG.name)).toHaveValue('2');
});

test('pay works before', async ({ page, shopper, sandbox }) => {
  const gate = await heldBack(page);
  await shopper.hasInCart();
  await page.goto('/checkout', { waitUntil: 'commit' });
  await shopper.checkout.fill();
  await shopper.goesToPay();
  gate.open();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('where no WebAssembly runs, the page is a plain form', async ({ page, shopper, guard, sandbox }) => {
  // As in Safari's Lockdown Mode.
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
  guard.expect(/WebAssembly is not defined/);
  await shopper.hasInCart();
  await page.goto('/checkout');
  await shopper.checkout.fill();
  await page.getByRole('button', { name: `One ${MUG.name} more` }).click();
  await shopper.checkout.hasTotal('€42.70');
  await shopper.checkout.isFilled();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ minor: 4270 });
});

test('a page that the browser kept can pay again, with a key of its own', async ({ page, shopper, sandbox }) => {
  const keys: (string | null)[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/api/checkout/start')) {
      keys.push(new URLSearchParams(request.postData() ?? '').get('key'));
    }
  });
  // The shopper leaves, and the page stays as it was left.
  const left = new Gate();
  await page.route('**/checkout/go/*', async (route) => {
    await route.fulfill({ status: 204 });
    left.open();
  });
  await shopper.fillsInCheckout();
  await shopper.checkout.pay.click();
  const starting = page.getByRole('button', { name: 'Starting payment…' });
  await expect(starting).toHaveAttribute('aria-busy', 'true');
  await expect.poll(() => keys.length).toBe(1);
  // It says that it is busy, so nothing but a determined finger presses it.
  await starting.click({ force: true });
  await left.passed;
  await page.unrouteAll();

  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(new Set(keys).size).toBe(2);
  expect(keys).toHaveLength(2);
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('errors vanish while they are mended', async ({ shopper }) => {
  const { checkout } = shopper;
  await shopper.fillsInCheckout();
  await checkout.field('Email address').fill('ada');
  await checkout.pay.click();
  await expect(checkout.field('Email address')).toHaveAttribute('aria-invalid', 'true');
  await checkout.field('Email address').fill('ada@example.com');
  await expect(checkout.field('Email address')).not.toHaveAttribute('aria-invalid');
});

test('the button says what it does', async ({ page, shopper }) => {
  await shopper.hasInCart();
  await shopper.checkout.open();
  await expect(shopper.checkout.pay).toHaveText(`Pay ${MUG.total} with myPOS`);
  await shopper.checkout.option('Bank transfer').check();
  await expect(shopper.checkout.pay).toHaveText(`Order and pay ${MUG.total} by transfer`);
  await expect(page.getByText('You pay on the page of myPOS.')).toBeHidden();
});
