import { ADA } from '../support/checkout.ts';
import { expect, test } from '../support/fixtures.ts';

/** Without scripts the page with the errors is an answer of its own. */
const UNPROCESSABLE = 422;

test('wrong input is named at the top and at the field, and nothing typed is lost', async ({
  shopper,
  guard,
  sandbox,
}) => {
  const { checkout, scripts } = shopper;
  if (!scripts) {
    guard.expectStatus(UNPROCESSABLE);
  }
  await shopper.fillsInCheckout();
  await checkout.choosesDelivery('Collect from our workshop');
  await checkout.option('iDEAL').check();
  await checkout.field('Email address').fill('ada');
  await checkout.field('Postcode').fill('');
  await checkout.field('Phone number (optional)').fill('call me');
  await checkout.pay.click();

  await expect(checkout.problems).toBeVisible();
  await expect(checkout.problems).toBeFocused();
  const problems = [
    ['Email address', 'Enter an email address such as name@example.com'],
    ['Postcode', 'Enter your postcode'],
    ['Phone number (optional)', 'Enter a phone number such as +49 30 123456, or leave it empty'],
  ] as const;
  await expect(checkout.problems.getByRole('link')).toHaveText(problems.map(([, words]) => words));
  for (const [label, words] of problems) {
    await expect(checkout.field(label)).toHaveAttribute('aria-invalid', 'true');
    await expect(checkout.field(label)).toHaveAccessibleDescription(new RegExp(words.replace(/[+.]/g, '\\$&')));
    await checkout.problems.getByRole('link', { name: words }).click();
    await expect(checkout.field(label)).toBeFocused();
  }
  for (const label of ['First name', 'Last name', 'Street and house number', 'Town or city'] as const) {
    await expect(checkout.field(label)).toHaveValue(ADA[label]);
    await expect(checkout.field(label)).not.toHaveAttribute('aria-invalid');
  }
  await expect(checkout.field('Email address')).toHaveValue('ada');
  await expect(checkout.field('Phone number (optional)')).toHaveValue('call me');
  await expect(checkout.country).toHaveValue('DE');
  await expect(checkout.option('Collect from our workshop')).toBeChecked();
  await expect(checkout.option('iDEAL')).toBeChecked();
  await checkout.hasTotal('€18.90');
  expect(await sandbox.payments()).toEqual([]);

  await checkout.fill();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'paid', minor: 1890 });
});

test('an empty form names everything that is missing', async ({ shopper, guard }) => {
  if (!shopper.scripts) {
    guard.expectStatus(UNPROCESSABLE);
  }
  await shopper.hasInCart();
  await shopper.checkout.open();
  await shopper.checkout.pay.click();
  await expect(shopper.checkout.problems.getByRole('link')).toHaveText([
    'Enter your email address',
    'Enter your first name',
    'Enter your last name',
    'Enter your street and house number',
    'Enter your postcode',
    'Enter your town or city',
    'Choose a country from the list',
  ]);
  await expect(shopper.checkout.country).toHaveAttribute('aria-invalid', 'true');
});

test('what looks like markup stays text', async ({ page, shopper, guard, sandbox }) => {
  if (!shopper.scripts) {
    guard.expectStatus(UNPROCESSABLE);
  }
  const name = `"><img src=x onerror=alert(1)>O'Brien & 'Söhne' -`;
  await shopper.fillsInCheckout();
  await shopper.checkout.field('Last name').fill(name);
  await shopper.checkout.field('Email address').fill('');
  await shopper.checkout.pay.click();
  await expect(shopper.checkout.problems).toBeVisible();
  await expect(shopper.checkout.field('Last name')).toHaveValue(name);
  await shopper.checkout.field('Email address').fill('ada@example.com');
  await shopper.goesToPay();
  await expect(page.getByText(name)).toBeVisible();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});
