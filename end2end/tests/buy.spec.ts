import { expect, test } from '../support/fixtures.ts';
import { MUG } from '../support/shopper.ts';

test('a shopper buys, from the catalogue to the thank-you', async ({ page, shopper, sandbox }) => {
  await page.goto('/');
  await page.getByRole('button', { name: `Add ${MUG.name} to the cart` }).click();
  await expect(shopper.cart('Cart, 1 item')).toBeVisible();
  await shopper.cart('Cart, 1 item').click();
  await shopper.checkout.isReady();
  await shopper.checkout.fill();
  await shopper.checkout.hasTotal(MUG.total);
  await shopper.goesToPay();
  await expect(page.getByText('ada@example.com')).toBeVisible();
  await shopper.gateway.paysAndReturns();

  await shopper.order.says('paid');
  await expect(shopper.order.details).toContainText(`1 × ${MUG.name}`);
  await expect(shopper.order.details).toContainText(MUG.total);
  await expect(page.getByText('ada@example.com')).toHaveCount(0);
  const payment = await sandbox.onlyPayment();
  expect(payment).toMatchObject({ status: 'paid', minor: MUG.minor, currency: 'EUR' });
  expect(payment.deliveries.map((delivery) => delivery.outcome)).toEqual(['ok']);
});

test('paying empties the cart', async ({ page, shopper }) => {
  await shopper.buys();
  await expect(shopper.cart('Cart')).toBeVisible();
  await page.getByRole('link', { name: 'Back to the shop' }).click();
  await expect(shopper.cart('Cart')).toBeVisible();
  await shopper.cart('Cart').click();
  await expect(page.getByRole('heading', { name: 'Your cart is empty' })).toBeVisible();
});

test('a cart that was filled anew is not emptied by the old order', async ({ page, shopper }) => {
  await shopper.buys();
  const result = page.url();
  await shopper.hasInCart('sencha', 2);
  await page.goto(result);
  await expect(shopper.cart('Cart, 2 items')).toBeVisible();
});

test('iDEAL is offered at the gateway when it was chosen', async ({ page, shopper, sandbox }) => {
  await shopper.fillsInCheckout();
  await shopper.checkout.option('iDEAL').check();
  await shopper.goesToPay();
  await expect(page.getByRole('radio', { name: 'iDEAL, approved' })).toBeChecked();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  await expect(shopper.order.details).toContainText('iDEAL');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('a bank transfer is ordered without the gateway', async ({ page, shopper, sandbox }) => {
  await shopper.fillsInCheckout();
  await shopper.checkout.option('Bank transfer').check();
  await shopper.checkout.pay.click();
  await shopper.order.says('awaiting');
  await expect(shopper.order.bank).toContainText('DE02 1203 0000 0000 2020 51');
  await expect(shopper.order.bank).toContainText(MUG.total);
  const reference = /TG-\w{4}-\w{4}/.exec(await shopper.order.bank.innerText())?.[0] ?? 'no reference';
  await expect(shopper.order.details).toContainText(reference);
  await expect(shopper.order.payAgain).toHaveCount(0);
  await expect(shopper.cart('Cart')).toBeVisible();
  expect(await sandbox.payments()).toEqual([]);
  await page.reload();
  await shopper.order.says('awaiting');
});

test('a storefront hands over a cart by its address', async ({ page, shopper, sandbox }) => {
  await shopper.checkout.open('/checkout?cart=mug:2');
  await shopper.checkout.hasTotal('€42.70');
  await shopper.checkout.fill();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'paid', minor: 4270 });
  await page.goto('/');
  await expect(shopper.cart('Cart')).toBeVisible();
});

test('a cart in the address does not touch the own cart', async ({ page, shopper }) => {
  await shopper.hasInCart('sencha', 3);
  await shopper.checkout.open('/checkout?cart=mug:2');
  await shopper.checkout.typesQuantity(MUG.name, '1');
  await shopper.checkout.hasTotal(MUG.total);
  await page.goto('/');
  await expect(shopper.cart('Cart, 3 items')).toBeVisible();
});
