/** Pages in which the checkout cannot be shown: the shopper gets a link with the cart, the developer the reason. */

import type { Page } from '@playwright/test';

import { violations } from '../support/axe.ts';
import type { Guard } from '../support/guard.ts';
import { element, hostPage } from '../support/host-page.ts';
import { expect, test } from '../support/hosts.ts';
import type { Widget } from '../support/widget.ts';

/** The link is there, with the cart as it is now, and leads to the hosted checkout. */
async function theLinkSells(page: Page, widget: Widget, total: string): Promise<void> {
  const link = page.getByRole('link', { name: 'To the checkout' });
  await expect(link).toBeVisible();
  await expect(widget.pay).toHaveCount(0);
  await link.click();
  await expect(page.getByRole('heading', { level: 1, name: 'Checkout' })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Pay / })).toHaveAccessibleName(new RegExp(total));
}

/** The developer reads this in the console, and the page hears the code. */
async function isTold(widget: Widget, code: string): Promise<void> {
  await expect.poll(async () => (await widget.heard('tillgate-error')).map((detail) => detail['code'])).toEqual([code]);
}

/** What the browser says by itself. */
function allowTheBrowser(guard: Guard): void {
  guard.allow(/^console error: (Access to fetch|Fetch API cannot load|Failed to load resource|Refused to|Connecting to|Loading the (script|image)|Compiling or instantiating WebAssembly|.*violates the following Content Security Policy)/);
}

test('an origin that the server does not know', async ({ page, hosts, addresses, widget, shopper, guard }) => {
  allowTheBrowser(guard);
  guard.expect(new RegExp(`<tillgate-checkout> ${addresses.shop} does not take calls from this page: add "${hosts.unlisted.origin}" to storefront_origins`));
  await widget.listens();
  await page.goto(hosts.unlisted.shows(hostPage(`<main><h1>A host</h1>${element(addresses.shop)}</main>`)));
  await expect(widget.note).toContainText('The checkout cannot be shown here.');
  await isTold(widget, 'origin');
  await widget.does((checkout) => checkout.addLine('mug'));
  await page.screenshot({ path: 'artifacts/hosts/unlisted-origin.png', fullPage: true });
  expect(await violations(shopper)).toEqual([]);
  await theLinkSells(page, widget, '€61.60');
});

test('a server that does not answer', async ({ page, hosts, addresses, widget, guard }) => {
  allowTheBrowser(guard);
  guard.expect(/<tillgate-checkout> .* does not answer/);
  await widget.listens();
  await page.route(`${addresses.shop}/**`, (route) => route.abort());
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await expect(widget.note).toBeVisible();
  await isTold(widget, 'unreachable');
});

const POLICIES = [
  { name: 'WebAssembly', policy: (shop: string) => `script-src 'self'; connect-src 'self' ${shop}`, says: /Add 'wasm-unsafe-eval' to script-src\./ },
  { name: 'calls of the server', policy: () => "connect-src 'self'", says: /Add http:\/\/127\.0\.0\.1:\d+ to connect-src\./ },
  { name: 'its own files', policy: (shop: string) => `connect-src ${shop}`, says: /Add http:\/\/localhost:\d+ to connect-src\./ },
];

for (const { name, policy, says } of POLICIES) {
  test(`a policy that blocks ${name}`, async ({ page, hosts, addresses, widget, guard }) => {
    allowTheBrowser(guard);
    guard.expect(new RegExp(`<tillgate-checkout> The Content-Security-Policy of this page blocks .*${says.source}`));
    await widget.listens();
    const headers = { 'content-security-policy': policy(addresses.shop) };
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { headers })));
    await expect(widget.note).toContainText('The checkout cannot be shown here.');
    await isTold(widget, 'csp');
    await page.screenshot({ path: `artifacts/hosts/policy-${name.replaceAll(' ', '-')}.png`, fullPage: true });
    await theLinkSells(page, widget, '€42.70');
  });
}

test('a policy that blocks the script itself', async ({ page, hosts, addresses, widget, guard }) => {
  allowTheBrowser(guard);
  const headers = { 'content-security-policy': "script-src 'none'" };
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { headers })));
  await theLinkSells(page, widget, '€42.70');
});

test('a policy that blocks pictures only', async ({ page, hosts, addresses, widget, guard }) => {
  allowTheBrowser(guard);
  guard.expect(/Add http:\/\/127\.0\.0\.1:\d+ to img-src; without it the checkout works/);
  await widget.listens();
  const headers = { 'content-security-policy': "img-src 'self' data:" };
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { headers })));
  await widget.hasTotal('€42.70');
  await isTold(widget, 'csp');
});

test('a download that fails', async ({ page, hosts, addresses, widget, guard }) => {
  allowTheBrowser(guard);
  guard.expect(/<tillgate-checkout> The files of the checkout could not be loaded/);
  await widget.listens();
  await page.route('**/*.wasm', (route) => route.abort());
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await isTold(widget, 'load');
  await page.screenshot({ path: 'artifacts/hosts/blocked-download.png', fullPage: true });
  // The hosted page has a WebAssembly of its own.
  await page.unrouteAll();
  await theLinkSells(page, widget, '€42.70');
});

test('a download that fails once is tried again', async ({ page, hosts, addresses, widget, guard }) => {
  allowTheBrowser(guard);
  guard.expect(/<tillgate-checkout> The files of the checkout could not be loaded/);
  await page.route('**/*.wasm', (route) => route.abort(), { times: 1 });
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await expect(widget.note).toBeVisible();
  await widget.does((checkout) => checkout.replaceWith(checkout.cloneNode(true)));
  await widget.isReady();
  await expect(widget.note).toBeHidden();
});

test('a browser without WebAssembly gets the link, and buys by it', async ({ page, hosts, addresses, widget, shopper, guard, sandbox }) => {
  // As in Safari's Lockdown Mode. Chromium has had a switch for it, --js-flags=--noexpose-wasm, and dropped it.
  await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
  guard.expect(/<tillgate-checkout> This browser runs no WebAssembly\./);
  guard.expect(/WebAssembly is not defined/);
  await widget.listens();
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await isTold(widget, 'wasm');
  await expect(widget.note).toContainText('The checkout cannot be shown here.');
  await page.screenshot({ path: 'artifacts/hosts/no-webassembly.png', fullPage: true });
  await page.getByRole('link', { name: 'To the checkout' }).click();
  await shopper.checkout.fill();
  await shopper.checkout.pay.click();
  await shopper.gateway.isShown();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ minor: 4270 });
});

test('a package of another version than the server', async ({ page, hosts, addresses, widget, guard }) => {
  guard.expect(/<tillgate-checkout> This checkout and the server at .* are of different versions/);
  await widget.listens();
  await page.route('**/api/checkout/widget?*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), shape: 1 } });
  });
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await isTold(widget, 'outdated');
  await page.unrouteAll();
  await theLinkSells(page, widget, '€42.70');
});

test('a server that refuses', async ({ page, hosts, addresses, widget, guard }) => {
  guard.expectStatus(429);
  guard.expect(/<tillgate-checkout> .* answers 429 \(rate_limited\)/);
  await widget.listens();
  const headers = { 'access-control-allow-origin': hosts.listed.origin };
  await page.route('**/api/checkout/widget?*', (route) => route.fulfill({ status: 429, json: 'rate_limited', headers }));
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await isTold(widget, 'rate_limited');
  await page.unrouteAll();
  await theLinkSells(page, widget, '€42.70');
});

test('no address of a server', async ({ page, hosts, widget, guard }) => {
  guard.expect(/<tillgate-checkout> The attribute "api" has to be the address of your Tillgate server/);
  await widget.listens();
  await page.goto(hosts.listed.shows(hostPage('<tillgate-checkout lines="mug:1"></tillgate-checkout>')));
  await isTold(widget, 'api');
});

test('a page without a link of its own gets one', async ({ page, hosts, addresses, widget, shopper, guard }) => {
  allowTheBrowser(guard);
  guard.expect(/<tillgate-checkout> .* does not answer/);
  await page.route('**/api/checkout/widget*', (route) => route.abort());
  await page.route('**/widget/v1/manifest.json', (route) => route.abort());
  await page.goto(hosts.listed.shows(hostPage(`<main><h1>Ein Laden</h1><tillgate-checkout api="${addresses.shop}" lines="mug:2" lang="de" reference="A 1"></tillgate-checkout></main>`)));
  await expect(widget.note).toContainText('Die Kasse kann hier nicht angezeigt werden.');
  const link = widget.element.getByRole('link', { name: 'Zur Kasse' });
  await expect(link).toHaveAttribute('href', `${addresses.shop}/checkout?cart=mug:2&lang=de&reference=A%201`);
  await page.screenshot({ path: 'artifacts/hosts/own-link.png', fullPage: true });
  expect(await violations(shopper)).toEqual([]);
});
