/** One payment, whatever is pressed twice. */

import { expect, test } from '../support/fixtures.ts';

test('a double click on pay makes one payment', async ({ shopper, sandbox }) => {
  await shopper.fillsInCheckout();
  await shopper.goesToPayByDoubleClick(shopper.checkout.pay);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('a double click on paying again makes one payment', async ({ shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.cancels();
  await shopper.goesToPayByDoubleClick(shopper.order.payAgain);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['unsuccessful', 'paid']);
});

test('paying in two tabs: the second payment is given back', async ({ shopper, sandbox }) => {
  await shopper.startsPayment();
  const second = await shopper.inAnotherTab();
  await second.checkout.open();
  await second.checkout.isFilled();
  await second.goesToPay();

  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  await second.gateway.paysAndIsGivenBack();
  await second.order.says('settled');
  await second.order.toOrder.click();
  await second.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid', 'reversed']);
  // The Rollback of the second is taken, and changes nothing for the first.
  await sandbox.advanceClock(10);
  await expect.poll(async () => (await sandbox.payments())[1]?.rollback_due_ms).toBeNull();
  await second.order.comesToSay('paid');
});

test('a tab that is late finds the order paid and does not pay again', async ({ shopper, sandbox }) => {
  await shopper.fillsInCheckout();
  const late = await shopper.inAnotherTab();
  await late.checkout.open();
  await late.checkout.fill();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');

  await late.checkout.pay.click();
  await late.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('while a payment is being checked no other tab pays', async ({ shopper, sandbox }) => {
  await sandbox.faults({ notify_lost: true, keep_without_ok: true });
  await shopper.fillsInCheckout();
  const late = await shopper.inAnotherTab();
  await late.checkout.open();
  await late.checkout.fill();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('checking');

  await late.checkout.pay.click();
  await late.order.says('checking');
  await expect(late.order.payAgain).toHaveCount(0);
  await late.page.goto('/checkout');
  await late.order.says('checking');
  expect(await sandbox.statuses()).toEqual(['paid']);
});
