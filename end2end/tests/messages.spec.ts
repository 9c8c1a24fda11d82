/** What goes wrong between the gateway and the shop. */

import { expect, test } from '../support/fixtures.ts';

const MINUTE = 60;

test('a form that was changed on its way is refused, and the way back leads to the shop', async ({ page, shopper }) => {
  await shopper.sendsAnotherAmount();
  await page.getByRole('link', { name: /^Return to / }).click();
  await expect(page).toHaveURL(`${shopper.addresses.shop}/`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('a delayed notification is waited for', async ({ shopper, sandbox }) => {
  await sandbox.faults({ notify_delayed_ms: { value: 1500 } });
  await shopper.startsPayment();
  const confirmed = shopper.gateway.confirms();
  await expect.poll(async () => (await sandbox.onlyPayment()).is_settling).toBe(true);
  await confirmed;
  await shopper.gateway.says('Payment successful');
  await shopper.gateway.goBack.click();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('a doubled notification pays once', async ({ shopper, sandbox }) => {
  await sandbox.faults({ notify_doubled: { value: 3 } });
  await shopper.buys();
  const payment = await sandbox.onlyPayment();
  expect(payment.status).toBe('paid');
  expect(payment.deliveries.map((delivery) => delivery.outcome)).toEqual(['ok', 'ok', 'ok']);
});

test('a lost notification ends not paid, and the money goes back', async ({ page, shopper, sandbox }) => {
  await sandbox.faults({ notify_lost: { count: 1 } });
  await shopper.startsPayment();
  await shopper.gateway.paysAndIsGivenBack();
  await shopper.order.says('cancelled');
  // The Rollback follows: the shop learns that there was money, and that it went back.
  await sandbox.advanceClock(10);
  await expect.poll(async () => (await sandbox.onlyPayment()).deliveries.at(-1)?.outcome).toBe('ok');
  expect((await sandbox.onlyPayment()).status).toBe('reversed');
  await page.goto(shopper.order.resultPath());
  await shopper.order.says('givenBack');

  await shopper.goesToPay(shopper.order.payAgain);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['reversed', 'paid']);
});

const NOT_BELIEVED = [
  ['notify_corrupted', 'cancelled'],
  ['notify_wrong_key', 'cancelled'],
  // Its signature is the gateway's: there was money, and it goes back.
  ['notify_other_amount', 'givenBack'],
] as const;

for (const [fault, state] of NOT_BELIEVED) {
  test(`a notification is not believed: ${fault}`, async ({ page, shopper, sandbox }) => {
    await sandbox.faults({ [fault]: true });
    await shopper.startsPayment();
    await shopper.gateway.paysAndIsGivenBack();
    await shopper.order.says(state);
    await page.goto(shopper.order.resultPath());
    await expect(shopper.order.payAgain).toBeVisible();
    const payment = await sandbox.onlyPayment();
    expect(payment.status).toBe('reversed');
    expect(payment.deliveries[0]).toMatchObject({ method: 'IPCPurchaseNotify', outcome: 'not_ok' });
  });
}

test('our OK is lost: paid at first, found reversed by asking again', async ({ page, shopper, sandbox }) => {
  await sandbox.faults({ ok_lost: { count: 1 }, rollback_lost: true });
  await shopper.startsPayment();
  await shopper.gateway.confirms();
  await shopper.gateway.says('The payment was given back');
  // The shopper does not go back by the button, so the shop goes on believing that it is paid.
  await page.goto('/checkout');
  await shopper.order.says('paid');
  expect((await sandbox.onlyPayment()).status).toBe('reversed');

  await sandbox.advanceClock(2 * MINUTE + 5);
  await shopper.order.comesToSay('givenBack');
  await shopper.goesToPay(shopper.order.payAgain);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['reversed', 'paid']);
});

test('our OK is lost: a shopper who comes back by Cancel makes the shop ask at once', async ({ page, shopper, sandbox }) => {
  await sandbox.faults({ ok_lost: { count: 1 }, rollback_lost: true });
  await shopper.startsPayment();
  await shopper.gateway.paysAndIsGivenBack();
  await expect(page.getByRole('banner')).toBeVisible();
  await page.goto(shopper.order.resultPath());
  await shopper.order.comesToSay('givenBack');
  expect(await sandbox.statuses()).toEqual(['reversed']);
});

test('kept by the gateway without our OK: checking, and paid when a second answer agrees', async ({
  page,
  shopper,
  sandbox,
}) => {
  await sandbox.faults({ notify_lost: true, keep_without_ok: true });
  await shopper.startsPayment();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('checking');
  const { order_id } = await sandbox.onlyPayment();
  const isAskedAfter = async (seconds: number) => {
    await sandbox.watchForQuestion(order_id);
    await sandbox.advanceClock(seconds);
    await expect.poll(() => sandbox.wasAsked(order_id)).toBe(true);
  };

  // The first answer says paid. The second question comes too early to confirm it.
  await isAskedAfter(6);
  await isAskedAfter(2 * MINUTE);
  await page.reload();
  await shopper.order.says('checking');
  await expect(shopper.order.payAgain).toHaveCount(0);
  await expect(shopper.cart('Cart, 1 item')).toBeVisible();

  await isAskedAfter(8 * MINUTE);
  // The page changes by itself: by its script, or because it tells the browser to look again.
  await shopper.order.says('paid', 12_000);
  await expect(shopper.cart('Cart')).toBeVisible();
});

test('a rollback takes the payment back, and the order can be paid again', async ({ page, shopper, sandbox }) => {
  await shopper.buys();
  const { order_id } = await sandbox.onlyPayment();
  await sandbox.rollBack(order_id);
  await page.reload();
  await shopper.order.says('givenBack');
  await shopper.goesToPay(shopper.order.payAgain);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['reversed', 'paid']);
});

test('the time to pay runs out, and the order can be paid again', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await sandbox.advanceClock(31 * MINUTE);
  await page.reload();
  await shopper.gateway.says('The time to pay is up');
  await shopper.gateway.goBack.click();
  await shopper.order.says('cancelled');
  await shopper.goesToPay(shopper.order.payAgain);
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
});

test('an order that nobody pays ends', async ({ page, shopper, sandbox }) => {
  await shopper.startsPayment();
  await shopper.gateway.cancels();
  await shopper.order.says('cancelled');
  await page.goto(shopper.order.resultPath());
  await sandbox.advanceClock(25 * 60 * MINUTE);
  await shopper.order.comesToSay('ended');
  await expect(shopper.order.payAgain).toHaveCount(0);
});
