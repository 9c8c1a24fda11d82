/** What other sites may do to a shopper: nothing. */

import { expect, test } from '../support/fixtures.ts';

test('no page of the shop can be framed', async ({ page, shopper }) => {
  await shopper.buys();
  const result = page.url();
  for (const address of ['/', '/checkout', result]) {
    const { href } = new URL(address, shopper.addresses.shop);
    await page.goto('about:blank');
    await page.setContent(`<iframe src="${href}"></iframe>`);
    await expect.poll(() => page.frames()[1]?.url()).toBe('chrome-error://chromewebdata/');
  }
});

test('a form of another site changes nothing', async ({ page, shopper, guard }) => {
  guard.expectStatus(403);
  const elsewhere = `${shopper.addresses.sandbox}/elsewhere`;
  const body = `<form method="post" action="${shopper.addresses.shop}/cart/add">
      <input name="sku" value="mug"><button>Win a prize</button></form>`;
  await page.route(elsewhere, (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(elsewhere);
  await page.getByRole('button', { name: 'Win a prize' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'That is not allowed' })).toBeVisible();
  await page.goto('/');
  await expect(shopper.cart('Cart')).toBeVisible();
});

test('a return from the gateway that nobody signed tells nothing', async ({ page, shopper, sandbox, guard }) => {
  guard.expectStatus(400);
  await shopper.startsPayment();
  const { order_id } = await sandbox.onlyPayment();
  const elsewhere = `${shopper.addresses.sandbox}/elsewhere`;
  const fields = { IPCmethod: 'IPCPurchaseOK', SID: '000000000012345', Amount: '23.80', Currency: 'EUR', OrderID: order_id };
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  const body = `<form method="post" action="${shopper.addresses.shop}/mypos/ok">${inputs.join('')}
      <input name="Signature" value="AAAA"><button>Return</button></form>`;
  await page.route(elsewhere, (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(elsewhere);
  await page.getByRole('button', { name: 'Return' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'We could not confirm this answer' })).toBeVisible();
  await expect(page.getByRole('main').getByRole('link', { name: 'To the checkout' })).toHaveCount(0);
});
