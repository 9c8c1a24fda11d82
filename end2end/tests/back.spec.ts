/** The browser's Back, after the shopper has left for the gateway. */

import { expect, test } from '../support/fixtures.ts';

test('Back from the gateway comes to a page that can pay again', async ({ shopper, sandbox }) => {
  await shopper.startsPayment();
  await sandbox.advanceClock(10);
  await shopper.goesBackAndPaysAgain();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  // The gateway has seen the first OrderID, so the second payment has one of its own.
  expect(await sandbox.statuses()).toEqual(['pending', 'paid']);
});

test('Back as quickly as a person can comes to a page that can pay again', async ({ shopper, sandbox }) => {
  await shopper.startsPayment();
  await sandbox.advanceClock(3);
  await shopper.goesBackAndPaysAgain();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['pending', 'paid']);
});

test('Back to the checkout keeps what was typed, and takes another cart', async ({ shopper, sandbox }) => {
  await shopper.startsPayment();
  await sandbox.advanceClock(10);
  await shopper.goesBackToCheckout();
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

test('Back to a cart in the address keeps what was typed', async ({ page, shopper, sandbox }) => {
  const { checkout } = shopper;
  await checkout.open('/checkout?cart=mug:1');
  await checkout.fill();
  await shopper.goesToPay();
  await sandbox.advanceClock(10);
  await page.goBack();
  const handover = page.getByRole('heading', { name: 'You have already been to the payment page' });
  await expect(checkout.heading.or(handover)).toBeVisible();
  if (await handover.isVisible()) {
    await page.goBack();
  }
  await checkout.isReady();
  await checkout.isFilled();
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
