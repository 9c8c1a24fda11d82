import { type Locator, type Page, expect } from '@playwright/test';

import { ADA } from '../support/checkout.ts';
import { test } from '../support/fixtures.ts';
import { MUG } from '../support/shopper.ts';

/** More than any page has places to stop at. */
const MANY = 60;

/** Presses Tab until `target` has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < MANY; presses += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      await expect(target).toBeInViewport();
      return;
    }
  }
  throw new Error(`Tab does not lead to ${target}`);
}

test('a purchase with the keyboard alone', async ({ page, shopper, sandbox }) => {
  const { checkout, gateway } = shopper;
  await page.goto('/');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: `Add ${MUG.name} to the cart` }));
  await page.keyboard.press('Enter');
  await expect(shopper.cart('Cart, 1 item')).toBeVisible();
  await tabTo(page, page.getByRole('link', { name: 'Go to checkout' }));
  await page.keyboard.press('Enter');
  await checkout.isReady();

  for (const label of ['Email address', 'First name', 'Last name', 'Street and house number', 'Postcode', 'Town or city'] as const) {
    await tabTo(page, checkout.field(label));
    await page.keyboard.type(ADA[label]);
  }
  await tabTo(page, checkout.country);
  await page.keyboard.type('Germ');
  await expect(checkout.country).toHaveValue('DE');
  await tabTo(page, checkout.option('By post'));
  await tabTo(page, checkout.option('Card'));
  await page.keyboard.press('ArrowDown');
  await expect(checkout.option('iDEAL')).toBeChecked();
  await tabTo(page, checkout.pay);
  await page.keyboard.press('Enter');
  if (!shopper.scripts) {
    await shopper.handover.waitFor();
    await tabTo(page, shopper.handover);
    await page.keyboard.press('Space');
  }

  await gateway.isShown();
  await tabTo(page, gateway.pay);
  await page.keyboard.press('Enter');
  await gateway.says('Payment successful');
  await tabTo(page, gateway.goBack);
  await page.keyboard.press('Enter');
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('Enter in a field pays, and does not change the cart', async ({ shopper, sandbox }) => {
  await shopper.fillsInCheckout();
  await shopper.checkout.field('Town or city').press('Enter');
  await shopper.passesHandover();
  await shopper.gateway.isShown();
  expect(await sandbox.onlyPayment()).toMatchObject({ minor: MUG.minor });
});
