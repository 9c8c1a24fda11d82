/** The merchant at his pages: in at the door, and money back to shoppers. */

import { readFile } from 'node:fs/promises';

import { type Locator, type Page, expect } from '@playwright/test';

import { test } from '../support/fixtures.ts';

const HOUR = 60 * 60;

test('the merchant refunds a part, then the rest, and the shopper sees both', async ({ page, shopper, merchant }) => {
  await shopper.buys();
  const result = page.url();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);

  // 40 % of 23.80.
  await merchant.fillsInRefund('9.52', 'One arrived broken');
  await expect(page.getByRole('heading', { level: 1, name: 'Refund €9.52?' })).toBeVisible();
  await expect(page.getByText('€14.28 can still be refunded afterwards')).toBeVisible();
  await page.getByRole('button', { name: 'Refund €9.52 now' }).click();
  await expect(merchant.news).toHaveText('€9.52 was refunded.');
  await expect(page.getByText('Partly refunded')).toBeVisible();
  await expect(merchant.refundForm.getByLabel('Amount to refund')).toHaveValue('14.28');
  await page.goto(result);
  await shopper.order.says('paid');
  await expect(page.getByText('€9.52 of it went back to you.')).toBeVisible();

  await merchant.opens(reference);
  await merchant.refunds('14.28', 'The other one, too');
  await expect(merchant.news).toHaveText('€14.28 was refunded.');
  await expect(merchant.refundForm).toHaveCount(0);
  await page.goto(result);
  await shopper.order.says('refunded');
});

test('a double click refunds once', async ({ page, shopper, merchant, sandbox }) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  await merchant.fillsInRefund('5', 'One arrived broken');
  // The second press is sent while the gateway is being asked because of the first, whose page it takes the place of.
  await sandbox.faults({ refund_late_ms: { count: 1, value: 1500 } });
  await page.getByRole('button', { name: 'Refund €5.00 now' }).dblclick({ delay: 100 });
  await expect(merchant.news).toHaveText('€5.00 was refunded.');
  await merchant.opens(reference);
  await expect(merchant.refundForm.getByText('At most €18.80')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Refunds' }).getByRole('listitem')).toHaveCount(1);
});

test('what is typed wrong is said in words, and kept', async ({ page, shopper, merchant, guard }) => {
  guard.expectStatus(422);
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  await merchant.fillsInRefund('a lot', 'Kept <as> it & is');
  const link = merchant.problems.getByRole('link', { name: 'Type an amount such as 12.50' });
  await link.click();
  await expect(merchant.refundForm.getByLabel('Amount to refund')).toBeFocused();
  await expect(merchant.refundForm.getByLabel('Amount to refund')).toHaveValue('a lot');
  await expect(merchant.refundForm.getByLabel('Reason')).toHaveValue('Kept <as> it & is');
  await merchant.fillsInRefund('23.81', 'More than it cost');
  await page.getByRole('button', { name: 'Refund €23.81 now' }).click();
  await expect(merchant.problems).toContainText('Only €23.80 can still be refunded');
});

test('a refund that the balance does not allow is said in words, and works later', async ({
  shopper,
  merchant,
  sandbox,
}) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  await sandbox.faults({ refund_low_balance: { count: 1 } });
  await merchant.refunds('10', 'One arrived broken');
  await expect(merchant.news).toContainText('€10.00 was not refunded: the balance of the myPOS account is too low');
  await merchant.refunds('10', 'One arrived broken');
  await expect(merchant.news).toHaveText('€10.00 was refunded.');
});

test('a refund of which nobody knows waits for the merchant', async ({ page, shopper, merchant, sandbox }) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  // The money goes back, and the answer says that something went wrong.
  await sandbox.faults({ refund_unknown_answer: { count: 1, value: 1 } });
  await merchant.refunds('10', 'One arrived broken');
  await expect(merchant.news).toContainText('Nobody knows yet whether €10.00 was refunded.');
  await expect(merchant.refundForm.getByText('At most €13.80')).toBeVisible();
  await page.goto('/merchant/transactions');
  await page.getByRole('link', { name: /^Needs attention/ }).click();
  await merchant.list.getByRole('link', { name: reference }).click();
  await page.getByRole('button', { name: 'It was refunded' }).click();
  await page.getByRole('button', { name: 'Record it' }).click();
  await expect(merchant.news).toHaveText('It is written down.');
  await expect(page.getByRole('region', { name: 'Refunds' }).getByText('Done', { exact: true })).toBeVisible();
});

test('a refund whose answer is late is waited for', async ({ shopper, merchant, sandbox }) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  await sandbox.faults({ refund_late_ms: { count: 1, value: 1500 } });
  await merchant.refunds('10', 'One arrived broken');
  await expect(merchant.news).toHaveText('€10.00 was refunded.');
});

test('a whole payment is reversed, and the shopper may pay again', async ({ page, shopper, merchant }) => {
  await shopper.buys();
  const result = page.url();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  await page.getByRole('button', { name: 'Reverse the payment' }).click();
  await page.getByRole('button', { name: 'Reverse €23.80 now' }).click();
  await expect(merchant.news).toHaveText('The payment was reversed.');
  await page.goto(result);
  await shopper.order.says('givenBack');
});

test('a bank transfer that came in makes the order paid', async ({ page, shopper, merchant }) => {
  await shopper.fillsInCheckout();
  await shopper.checkout.option('Bank transfer').check();
  await shopper.checkout.pay.click();
  await shopper.order.says('awaiting');
  const result = page.url();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  const form = page.getByRole('region', { name: 'Record money received' });
  await expect(form.getByLabel('Amount received')).toHaveValue('23.80');
  await form.getByLabel('Note').fill('Statement 7');
  await form.getByRole('button', { name: 'Review' }).click();
  await expect(page.getByText('The order is paid then.')).toBeVisible();
  await page.getByRole('button', { name: 'Record €23.80' }).click();
  await expect(merchant.news).toHaveText('It is written down.');
  await page.goto(result);
  await shopper.order.says('paid');
});

test('a wrong password says so, and the right one leads to where somebody wanted to go', async ({
  page,
  shopper,
  merchant,
  guard,
}) => {
  guard.expectStatus(422);
  await shopper.buys();
  const reference = await shopper.order.reference();
  await page.goto(`/merchant/transactions/${reference}`);
  await merchant.types('nobody@merchant.example', 'a password that is wrong');
  await expect(merchant.problems).toContainText('The email address or the password is wrong');
  await expect(page.getByLabel('Email address')).toHaveValue('nobody@merchant.example');
  await merchant.getsIn();
  await expect(page.getByRole('heading', { level: 1, name: reference })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You are signed out.')).toBeVisible();
  await page.goto('/merchant/transactions');
  await expect(merchant.signInButton).toBeVisible();
});

test('a session that has ended keeps what was typed', async ({ page, shopper, merchant, sandbox }) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  await merchant.refundForm.getByLabel('Amount to refund').fill('9.52');
  await merchant.refundForm.getByLabel('Reason').fill('Zu grün & "spät"');
  await sandbox.advanceClock(2 * HOUR);
  await merchant.refundForm.getByRole('button', { name: 'Review' }).click();
  await expect(page.getByText('Your session has ended.')).toBeVisible();
  await merchant.getsIn();
  await expect(merchant.refundForm.getByLabel('Amount to refund')).toHaveValue('9.52');
  await expect(merchant.refundForm.getByLabel('Reason')).toHaveValue('Zu grün & "spät"');
});

test('the list is searched, filtered, and taken away as a file', async ({ page, shopper, merchant }) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  for (const text of [reference, reference.toLowerCase().replaceAll('-', ' '), 'ada@example.com', '23.80']) {
    await merchant.searches(text);
    await expect(merchant.list.getByRole('link', { name: reference })).toBeVisible();
  }
  await page.getByLabel('State').selectOption('Refunded');
  await merchant.searches(reference);
  await expect(page.getByRole('heading', { name: 'Nothing matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await merchant.searches(reference);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export as CSV' }).click();
  const file = await readFile(await (await download).path(), 'utf8');
  expect(file.trimEnd().split('\r\n')).toHaveLength(2);
  expect(file).toContain(`${reference},`);
  expect(file).toContain(',paid,card,EUR,23.80,0.00,ada@example.com,');
});

/** Presses Tab until `target` has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      await expect(target).toBeInViewport();
      return;
    }
  }
  throw new Error(`Tab does not lead to ${target}`);
}

test('a refund with the keyboard alone', async ({ page, shopper, merchant, tillgate }) => {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await page.goto('/merchant');
  await tabTo(page, page.getByLabel('Email address'));
  await page.keyboard.type(tillgate.credentials.merchant);
  await tabTo(page, page.getByLabel('Password'));
  await page.keyboard.type(tillgate.credentials.password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Transactions' })).toBeVisible();
  await tabTo(page, page.getByLabel('Search'));
  await page.keyboard.type(reference);
  await page.keyboard.press('Enter');
  await tabTo(page, merchant.list.getByRole('link', { name: reference }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: reference })).toBeVisible();
  await tabTo(page, merchant.refundForm.getByLabel('Amount to refund'));
  await page.keyboard.press('Control+A');
  await page.keyboard.type('1.50');
  await tabTo(page, merchant.refundForm.getByLabel('Reason'));
  await page.keyboard.type('One arrived broken');
  await page.keyboard.press('Enter');
  const button = page.getByRole('button', { name: 'Refund €1.50 now' });
  await expect(button).toBeVisible();
  await tabTo(page, button);
  await page.keyboard.press('Enter');
  await expect(merchant.news).toHaveText('€1.50 was refunded.');
});

test.describe('in German', () => {
  test.use({ locale: 'de-DE' });

  test('an amount is typed with a comma', async ({ page, shopper, tillgate, addresses }) => {
    const form = { sku: 'mug', quantity: '1' };
    await page.context().request.post(`${addresses.shop}/cart/add`, { form });
    await page.goto('/checkout');
    await page.getByLabel('E-Mail-Adresse').fill('juergen@example.com');
    await page.getByLabel('Vorname').fill('Jürgen');
    await page.getByLabel('Nachname').fill('Groß');
    await page.getByLabel('Straße und Hausnummer').fill('Äußere Straße 5');
    await page.getByLabel('Postleitzahl').fill('80331');
    await page.getByLabel('Ort').fill('München');
    await page.getByLabel('Land').selectOption('Österreich');
    await page.getByRole('button', { name: /mit myPOS bezahlen$/ }).click();
    if (!shopper.scripts) {
      await page.getByRole('button', { name: 'Weiter zu myPOS' }).click();
    }
    await shopper.gateway.isShown();
    await shopper.gateway.paysAndReturns();
    await page.goto('/merchant');
    await page.getByLabel('E-Mail-Adresse').fill(tillgate.credentials.merchant);
    await page.getByLabel('Passwort').fill(tillgate.credentials.password);
    await page.getByRole('button', { name: 'Anmelden' }).click();
    await page.getByRole('table').getByRole('link').first().click();
    const refund = page.getByRole('region', { name: 'Erstatten', exact: true });
    await refund.getByLabel('Zu erstattender Betrag').fill('1,50 €');
    await refund.getByLabel('Grund').fill('Ein Sprung');
    await refund.getByRole('button', { name: 'Prüfen' }).click();
    await page.getByRole('button', { name: '1,50\u00a0€ jetzt erstatten' }).click();
    await expect(page.getByRole('status')).toHaveText('1,50\u00a0€ wurden erstattet.');
  });
});
