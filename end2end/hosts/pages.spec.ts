/** How it looks, on a desktop and on a phone; and that everybody can use it. */

import { mkdirSync } from 'node:fs';

import { type Locator, type Page } from '@playwright/test';

import { violations } from '../support/axe.ts';
import { ADA } from '../support/checkout.ts';
import { element, hostPage } from '../support/host-page.ts';
import { EXAMPLE, type Example, expect, test } from '../support/hosts.ts';
import { Widget } from '../support/widget.ts';

const MOST_STOPS = 60;

test.beforeAll(() => mkdirSync('artifacts/hosts', { recursive: true }));

for (const name of Object.keys(EXAMPLE) as Example[]) {
  test(`${name} looks as it should, and axe finds nothing`, async ({ page, hosts, widget: element, shopper }, info) => {
    const widget = name === 'leptos' ? new Widget(page, shopper, 'main') : element;
    await page.goto(hosts.examples[name]);
    await widget.isReady();
    await page.screenshot({ path: `artifacts/hosts/${name}-${info.project.name}.png`, fullPage: true });
    expect(await sticksOut(widget)).toEqual([]);
    expect(await violations(shopper)).toEqual([]);
    await widget.pay.click();
    await expect(widget.problems).toBeFocused();
    await page.screenshot({ path: `artifacts/hosts/${name}-errors-${info.project.name}.png`, fullPage: true });
    expect(await violations(shopper)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
}

test('without any style of its own, and an empty cart', async ({ page, hosts, addresses, widget, shopper }, info) => {
  await page.goto(hosts.listed.shows(hostPage(`<main><h1>A host</h1>${element(addresses.shop)}</main>`)));
  await widget.isReady();
  await page.screenshot({ path: `artifacts/hosts/bare-${info.project.name}.png`, fullPage: true });
  await widget.does((checkout) => checkout.clearLines());
  await expect(widget.element.getByRole('heading', { name: 'Your cart is empty' })).toBeVisible();
  await page.screenshot({ path: `artifacts/hosts/empty-${info.project.name}.png`, fullPage: true });
  expect(await violations(shopper)).toEqual([]);
});

test('a narrow column on a wide screen', async ({ page, hosts, addresses, widget }, info) => {
  await page.goto(hosts.listed.shows(hostPage(`<div style="width: 360px">${element(addresses.shop)}</div>`)));
  await widget.isReady();
  await page.screenshot({ path: `artifacts/hosts/narrow-${info.project.name}.png`, fullPage: true });
  expect(await sticksOut(widget)).toEqual([]);
  for (const part of ['card', 'option', 'summary']) {
    const boxes = await widget.element.locator(`[part=${part}]`).evaluateAll((elements) => elements.map((element) => element.getBoundingClientRect().width));
    // One column: what it holds has the width of it, but for paddings.
    expect(Math.min(...boxes)).toBeGreaterThan(280);
    expect(Math.max(...boxes)).toBeLessThanOrEqual(360);
  }
  const [column, button] = await Promise.all([widget.element.boundingBox(), widget.pay.boundingBox()]);
  expect(button?.width ?? 0).toBeGreaterThan(250);
  expect((button?.x ?? 0) + (button?.width ?? 0)).toBeLessThanOrEqual((column?.x ?? 0) + (column?.width ?? 0));
});

test('a purchase with the keyboard alone', async ({ page, hosts, addresses, widget, shopper, sandbox }) => {
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await widget.isReady();
  for (const label of ['Email address', 'First name', 'Last name', 'Street and house number', 'Postcode', 'Town or city'] as const) {
    await tabTo(page, widget.field(label));
    await page.keyboard.type(ADA[label]);
  }
  await tabTo(page, widget.element.getByLabel('Country'));
  await page.keyboard.type('Germ');
  await tabTo(page, widget.option('Card'));
  await page.keyboard.press('ArrowDown');
  await expect(widget.option('iDEAL')).toBeChecked();
  await tabTo(page, widget.pay);
  await page.keyboard.press('Enter');
  await shopper.gateway.isShown();
  await tabTo(page, shopper.gateway.pay);
  await page.keyboard.press('Enter');
  await shopper.gateway.says('Payment successful');
  await tabTo(page, shopper.gateway.goBack);
  await page.keyboard.press('Enter');
  await shopper.order.says('paid');
  expect(await sandbox.statuses()).toEqual(['paid']);
});

/** What stands over the edge of its section. */
async function sticksOut(widget: Widget): Promise<string[]> {
  const inside = widget.element.locator('[part=card] *, [part=summary] *').filter({ visible: true });
  return inside.evaluateAll((elements) =>
    elements
      .filter((element) => {
        const [outer, inner] = [element.closest('[part=card], [part=summary]'), element].map((box) => box?.getBoundingClientRect());
        return outer !== undefined && inner !== undefined && (inner.left < outer.left || inner.right > outer.right || inner.bottom > outer.bottom);
      })
      .map((element) => `${element.localName}.${element.className}: ${element.textContent.trim()}`));
}

/** Presses Tab until `target` has the focus, inside of a shadow root or not. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    await page.keyboard.press('Tab');
    const isThere = await target.evaluate((element) => (element.getRootNode() as Document | ShadowRoot).activeElement === element);
    if (isThere) return;
  }
  throw new Error(`Tab does not lead to ${target}`);
}
