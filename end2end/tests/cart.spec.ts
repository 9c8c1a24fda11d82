import { expect, test } from '../support/fixtures.ts';
import { MUG } from '../support/shopper.ts';

test('the cart is changed in the checkout, and what was typed stays', async ({ page, shopper, sandbox }) => {
  const { checkout } = shopper;
  await shopper.hasInCart('sencha');
  await shopper.fillsInCheckout();
  await checkout.hasTotal('€38.70');

  await page.getByRole('button', { name: `One ${MUG.name} more` }).click();
  await expect(checkout.quantity(MUG.name)).toHaveValue('2');
  await checkout.hasTotal('€57.60');
  await page.getByRole('button', { name: 'One Sencha Kagoshima fewer' }).click();
  await expect(checkout.quantity('Sencha Kagoshima')).toHaveCount(0);
  await checkout.hasTotal('€42.70');
  await checkout.typesQuantity(MUG.name, '10');
  await checkout.hasTotal('€193.90');
  await checkout.typesQuantity(MUG.name, 'many');
  await checkout.hasTotal('€193.90');
  await checkout.choosesDelivery('Express');
  await checkout.hasTotal('€200.90');
  await checkout.choosesDelivery('Collect from our workshop');
  await checkout.hasTotal('€189.00');
  await expect(checkout.summary).toContainText('Free');
  await checkout.isFilled();

  // The cart follows to other pages, and what is shown is what is paid.
  const tab = await shopper.inAnotherTab();
  await expect(async () => {
    await tab.page.goto('/');
    await expect(tab.cart('Cart, 10 items')).toBeVisible({ timeout: 100 });
  }).toPass();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'paid', minor: 18_900 });
});

test('the header counts what is in the cart', async ({ page, shopper }) => {
  await shopper.hasInCart();
  await shopper.checkout.open();
  await expect(shopper.cart('Cart, 1 item')).toBeVisible();
  await page.getByRole('button', { name: `One ${MUG.name} more` }).click();
  await shopper.checkout.hasTotal('€42.70');
  await expect(shopper.cart('Cart, 2 items')).toBeVisible();
});

test('an article without a picture has room for its controls', async ({ page, shopper }) => {
  await shopper.hasInCart();
  await shopper.checkout.open();
  await page.locator('.line img').evaluate((image) => image.remove());
  await page.getByRole('button', { name: `One ${MUG.name} more` }).click();
  await shopper.checkout.hasTotal('€42.70');
});

test('the last article is removed', async ({ page, shopper }) => {
  await shopper.hasInCart();
  await shopper.checkout.open();
  await page.getByRole('button', { name: `Remove ${MUG.name}` }).click();
  await expect(page.getByRole('heading', { name: 'Your cart is empty' })).toBeVisible();
  await expect(shopper.checkout.pay).toBeHidden();
  await page.getByRole('link', { name: 'See all articles' }).click();
  await expect(shopper.cart('Cart')).toBeVisible();
});

test('more of the same is added to what is there', async ({ page, shopper }) => {
  await page.goto('/');
  const article = page.getByRole('listitem').filter({ hasText: MUG.name });
  await article.getByLabel('Quantity').fill('3');
  await article.getByRole('button').click();
  await expect(shopper.cart('Cart, 3 items')).toBeVisible();
  await article.getByRole('button').click();
  await expect(shopper.cart('Cart, 4 items')).toBeVisible();
  await page.getByRole('link', { name: 'Go to checkout' }).click();
  await shopper.checkout.isReady();
  await expect(shopper.checkout.quantity(MUG.name)).toHaveValue('4');
});

test('prices that changed meanwhile are shown before anything is paid', async ({ page, shopper, guard, sandbox }) => {
  guard.expectStatus(409);
  await shopper.fillsInCheckout();
  if (shopper.scripts) {
    await page.route(
      '**/api/checkout/start',
      async (route) => {
        const postData = (route.request().postData() ?? '').replace('shown_total_minor=2380', 'shown_total_minor=2280');
        await route.continue({ postData });
      },
      { times: 1 },
    );
  } else {
    await page.locator('input[name="shown_total_minor"]').evaluate((input) => input.setAttribute('value', '2280'));
  }
  await shopper.checkout.pay.click();
  await expect(shopper.checkout.problems).toContainText('The price has changed. The total is now €23.80.');
  await expect(shopper.checkout.problems).toBeFocused();
  await shopper.checkout.isFilled();
  expect(await sandbox.payments()).toEqual([]);

  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'paid', minor: MUG.minor });
});

test('an article that is not sold leaves the cart, and it is said', async ({ page, shopper }) => {
  await shopper.checkout.open('/checkout?cart=mug:1,gold:2');
  await expect(page.getByText('An article in your cart is no longer sold and was removed.')).toBeVisible();
  await shopper.checkout.hasTotal(MUG.total);
  await shopper.checkout.fill();
  await shopper.goesToPay();
});

test('a cart in the address survives the change of language', async ({ page, shopper }) => {
  await shopper.checkout.open('/checkout?cart=mug:2');
  await page.getByRole('link', { name: 'Deutsch' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Kasse' })).toBeVisible();
  await expect(page.getByRole('button', { name: '42,70\u00a0€ mit myPOS bezahlen' })).toBeVisible();
});
