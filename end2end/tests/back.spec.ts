/** The browser's Back, after the shopper has left for the gateway. */

import { expect, test } from '../support/fixtures.ts';

test('Back from the gateway comes to a page that can pay again', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  // Nobody reads a payment page in no time.
  await sandbox.advanceClock(10);
  await page.goBack();
  if (shopper.scripts) {
    await shopper.checkout.isReady();
    await shopper.checkout.isFilled();
    await shopper.goesToPay();
  } else {
    await expect(page.getByRole('heading', { name: 'You have already been to the payment page' })).toBeVisible();
    await shopper.goesToPay(page.getByRole('button', { name: 'Start the payment again' }));
  }
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['pending', 'paid']);
});

test('Back to the checkout keeps what was typed, and takes another cart', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await sandbox.advanceClock(10);
  await page.goBack();
  if (!shopper.scripts) {
    await page.getByRole('link', { name: 'Back to checkout' }).click();
  }
  await shopper.checkout.isReady();
  await shopper.checkout.isFilled();
  await shopper.checkout.typesQuantity('Terracotta mug', '2');
  await shopper.checkout.hasTotal('€42.70');
  await shopper.checkout.isFilled();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect((await sandbox.payments()).map((payment) => [payment.status, payment.minor])).toEqual([
    ['pending', 2380],
    ['paid', 4270],
  ]);
});

test('Back at once comes to a page that can pay', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await page.goBack();
  if (shopper.scripts) {
    await shopper.checkout.isReady();
    await shopper.checkout.isFilled();
    await shopper.goesToPay();
  } else {
    await shopper.passesHandover();
    await shopper.gateway.isShown();
  }
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect((await sandbox.statuses()).filter((status) => status === 'paid')).toHaveLength(1);
});

test('Back from a payment of a cart in the address keeps what was typed', async ({ page, shopper, sandbox }) => {
  await shopper.checkout.open('/checkout?cart=mug:1');
  await shopper.checkout.fill();
  await shopper.goesToPay();
  await sandbox.advanceClock(10);
  await page.goBack();
  if (!shopper.scripts) {
    await page.goBack();
  }
  await shopper.checkout.isReady();
  await shopper.checkout.isFilled();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
});

test('Back from the result comes to no second payment', async ({ page, shopper, sandbox }) => {
  await shopper.buys();
  await page.goto('/checkout');
  await expect(shopper.checkout.pay).toHaveCount(0);
  await page.goBack();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});
