/** One press of Pay is one payment, and one cart is one order, whichever tab it is paid in. */

import { element, hostPage } from '../support/host-page.ts';
import { expect, test } from '../support/hosts.ts';
import { Shopper } from '../support/shopper.ts';
import { Widget } from '../support/widget.ts';

test('a double click pays once', async ({ page, hosts, addresses, widget, shopper, sandbox }) => {
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await widget.isReady();
  await widget.fill();
  await widget.pay.dblclick();
  await shopper.gateway.isShown();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('who comes Back from the payment page can pay', async ({ page, hosts, addresses, widget, shopper, sandbox }) => {
  const shop = hosts.listed.shows(hostPage(element(addresses.shop)));
  await page.goto(shop);
  await widget.isReady();
  await widget.fill();
  await widget.pay.click();
  await shopper.gateway.isShown();
  // The hand-over page may lie between.
  await expect(async () => {
    await page.goBack();
    await expect(page).toHaveURL(shop, { timeout: 1_000 });
  }).toPass();
  await widget.isReady();
  await widget.fill();
  await widget.pay.click();
  await shopper.gateway.isShown();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect((await sandbox.statuses()).filter((status) => status === 'paid')).toHaveLength(1);
});

test('two tabs pay one order', async ({ page, context, hosts, addresses, widget, shopper, sandbox }) => {
  const shop = hosts.listed.shows(hostPage(element(addresses.shop)));
  await page.goto(shop);
  await widget.isReady();
  const other = new Shopper(await context.newPage(), addresses, true);
  const widgetThere = new Widget(other.page, other);
  await other.page.goto(shop);
  await widgetThere.isReady();
  await widgetThere.fill();
  await widget.fill();
  await widget.pay.click();
  await shopper.gateway.isShown();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');

  await widgetThere.pay.click();
  await other.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});
