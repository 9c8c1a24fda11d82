import { SHOP, expect, test } from './fixtures';

test.beforeEach(({ page }) => page.goto('/'));

test('paid, and home again', async ({ page, shopper }) => {
  await shopper.goesToPay();
  await shopper.pays();
  await shopper.reads('Thank you, your order is paid');
  await page.getByRole('link', { name: /^Back to localhost/ }).click();
  await expect(page).toHaveURL(`${SHOP}/#thanks`);
});

test('declined, and paid with another card', async ({ shopper }) => {
  await shopper.goesToPay();
  await shopper.isDeclined();
  await shopper.pays();
  await shopper.reads('Thank you, your order is paid');
});

test('cancelled, and paid after all', async ({ page, shopper }) => {
  await shopper.goesToPay();
  await shopper.cancels();
  await shopper.reads('You cancelled the payment');
  await page.getByRole('button', { name: /^Pay .* now$/ }).click();
  await shopper.pays();
  await shopper.reads('Thank you, your order is paid');
});

test('the notification is lost, and the payment is found by asking', async ({ page, shopper, sandbox }) => {
  await sandbox.faults({ notify_lost: true, keep_without_ok: true });
  await shopper.goesToPay();
  await shopper.pays();
  await shopper.reads('We are checking your payment');
  // It is asked about after some minutes, and once more ten minutes later before it is believed.
  await expect(async () => {
    await sandbox.advanceClock(10 * 60);
    await page.reload();
    await shopper.reads('Thank you, your order is paid', 500);
  }).toPass();
});
