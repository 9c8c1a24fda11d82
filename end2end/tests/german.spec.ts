import { expect, test } from '../support/fixtures.ts';

test.use({ locale: 'de-DE' });

test('a purchase in German, without choosing the language', async ({ page, shopper, guard, sandbox }) => {
  if (!shopper.scripts) {
    guard.expectStatus(422);
  }
  await page.goto('/');
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await page.getByRole('button', { name: 'Becher Terrakotta in den Warenkorb legen' }).click();
  await page.getByRole('link', { name: 'Zur Kasse' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Kasse' })).toBeVisible();
  const pay = page.getByRole('button', { name: '23,80\u00a0€ mit myPOS bezahlen' });
  await pay.click();
  const problems = page.getByRole('alert');
  await expect(problems).toContainText('Bitte prüfen Sie Ihre Angaben');
  await expect(problems.getByRole('link', { name: 'Geben Sie Ihre E-Mail-Adresse ein' })).toBeVisible();

  await page.getByLabel('E-Mail-Adresse').fill('juergen@example.com');
  await page.getByLabel('Vorname').fill('Jürgen');
  await page.getByLabel('Nachname').fill('Groß');
  await page.getByLabel('Straße und Hausnummer').fill('Äußere Straße 5');
  await page.getByLabel('Postleitzahl').fill('80331');
  await page.getByLabel('Ort').fill('München');
  await page.getByLabel('Land').selectOption('Österreich');
  await pay.click();
  if (!shopper.scripts) {
    await page.getByRole('button', { name: 'Weiter zu myPOS' }).click();
  }
  await shopper.gateway.isShown();
  await expect(page.getByText('Jürgen Groß')).toBeVisible();
  await shopper.gateway.paysAndReturns();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Vielen Dank, Ihre Bestellung ist bezahlt');
  await expect(page.getByRole('region', { name: 'Angaben zur Bestellung' })).toContainText('1 × Becher Terrakotta');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('a language that was chosen stays, on every page after it', async ({ page, shopper }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'English' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await shopper.buys();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test('a storefront chooses the language with the cart', async ({ page, shopper, guard }) => {
  if (!shopper.scripts) {
    guard.expectStatus(422);
  }
  await page.goto('/checkout?cart=mug:1&lang=en');
  await shopper.checkout.isReady();
  await shopper.checkout.pay.click();
  await expect(shopper.checkout.problems).toBeVisible();
  await shopper.checkout.fill();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
});
