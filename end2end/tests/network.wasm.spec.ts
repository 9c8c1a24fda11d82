/** A bad connection between the page and the shop. */

import { expect, test } from '../support/fixtures.ts';
import { Gate } from '../support/gate.ts';
import { MUG } from '../support/shopper.ts';

const START = '**/api/checkout/start';
const QUOTE = '**/api/checkout/quote?*';

test('an answer that is lost costs nothing: the same press again is the same payment', async ({
  page,
  shopper,
  guard,
  sandbox,
}) => {
  guard.expect(/net::ERR_FAILED/);
  const locations: string[] = [];
  await page.route(START, async (route) => {
    const response = await route.fetch();
    locations.push(await response.text());
    await (locations.length === 1 ? route.abort() : route.fulfill({ response }));
  });
  await shopper.fillsInCheckout();
  await shopper.checkout.pay.click();
  await expect(shopper.checkout.problems).toContainText('You will not be charged twice.');
  await shopper.checkout.isFilled();
  await shopper.goesToPay();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(locations).toHaveLength(2);
  expect(locations[0]).toBe(locations[1]);
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('prices that cannot be asked for are said to be old, and asked for again', async ({ page, shopper, guard }) => {
  guard.expect(/net::ERR_FAILED/);
  await shopper.fillsInCheckout();
  await page.route(QUOTE, (route) => route.abort());
  await page.getByRole('button', { name: `One ${MUG.name} more` }).click();
  await expect(page.getByText('The prices could not be updated.')).toBeVisible();
  await page.unroute(QUOTE);
  await page.getByRole('button', { name: 'Try again' }).click();
  await shopper.checkout.hasTotal('€42.70');
  await expect(page.getByText('The prices could not be updated.')).toBeHidden();
});

test('pay before the new price is there shows the new price first', async ({ page, shopper, guard, sandbox }) => {
  guard.expectStatus(409);
  await shopper.fillsInCheckout();
  const gate = new Gate();
  await page.route(QUOTE, async (route) => {
    await gate.passed;
    await route.continue();
  });
  await page.getByRole('button', { name: `One ${MUG.name} more` }).click();
  await shopper.checkout.pay.click();
  await expect(shopper.checkout.problems).toContainText('The total is now €42.70.');
  gate.open();
  expect(await sandbox.payments()).toEqual([]);
  await shopper.checkout.hasTotal('€42.70');
  await shopper.goesToPay();
  expect(await sandbox.onlyPayment()).toMatchObject({ minor: 4270 });
});
