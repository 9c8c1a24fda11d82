import { expect, test } from '../support/fixtures.ts';
import { MUG } from '../support/shopper.ts';

test('declined, then bought with another card', async ({ shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.isDeclined();
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'pending', declined: 1 });
  await shopper.page.getByRole('radio', { name: 'Test card that is approved' }).check();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'paid', declined: 1 });
});

test('declined, given up, and the order says so once it was asked about', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.isDeclined();
  const { order_id } = await sandbox.onlyPayment();
  await sandbox.watchForQuestion(order_id);
  // A payment that is started is asked about after two minutes.
  await sandbox.advanceClock(130);
  await expect.poll(() => sandbox.wasAsked(order_id)).toBe(true);
  await shopper.gateway.cancels();
  await shopper.order.says('cancelled');
  await page.goto(shopper.order.resultPath());
  await shopper.order.says('notPaid');
  await expect(page.getByText('The payment was declined. Try again')).toBeVisible();
});

test('cancelled, then bought with one press and nothing typed', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.cancels();
  await shopper.order.says('cancelled');
  await expect(shopper.order.details).toContainText(MUG.total);
  const pressed = page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/checkout/pay'));
  await shopper.goesToPay(shopper.order.payAgain);
  // A browser that sends no Sec-Fetch-Site says by this alone that the form is ours.
  expect((await (await pressed).allHeaders())['origin']).toBe(shopper.addresses.shop);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['unsuccessful', 'paid']);
  const [first, second] = await sandbox.payments();
  expect(first?.order_id).not.toBe(second?.order_id);
});

test('cancelled, then ordered by bank transfer after all', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.cancels();
  await page.getByRole('radio', { name: 'Bank transfer' }).check();
  await shopper.order.payAgain.click();
  await shopper.order.says('awaiting');
  expect(await sandbox.statuses()).toEqual(['unsuccessful']);
});

test('cancelled, and back in the checkout everything stands as it was typed', async ({ page, shopper, sandbox }) => {
  await shopper.hasInCart();
  await shopper.checkout.open();
  await shopper.checkout.choosesDelivery('Express');
  await shopper.checkout.hasTotal('€30.80');
  await shopper.checkout.fill();
  await shopper.checkout.option('iDEAL').check();
  await shopper.goesToPay();
  await shopper.gateway.cancels();
  await page.getByRole('link', { name: 'Back to checkout' }).click();
  await shopper.checkout.isReady();
  await shopper.checkout.isFilled();
  await expect(shopper.checkout.option('Express')).toBeChecked();
  await expect(shopper.checkout.option('iDEAL')).toBeChecked();
  await shopper.checkout.hasTotal('€30.80');
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['unsuccessful', 'paid']);
});

test('a payment that is confirmed after it was cancelled still counts', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.cancels();
  await shopper.order.says('cancelled');
  const { order_id } = await sandbox.onlyPayment();
  await sandbox.notify(order_id);
  await page.reload();
  await shopper.order.says('settled');
  await shopper.order.toOrder.click();
  await shopper.order.says('paid');
});
