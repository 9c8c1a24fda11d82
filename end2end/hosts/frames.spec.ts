/** The element in a frame: it leaves by the top window, and says so where it may not. */

import { element, hostPage } from '../support/host-page.ts';
import { expect, test } from '../support/hosts.ts';
import { Widget } from '../support/widget.ts';

const FRAMES = [
  { name: 'a plain frame', sandbox: null },
  { name: 'a sandboxed frame with permission', sandbox: 'allow-scripts allow-forms allow-same-origin allow-top-navigation-by-user-activation' },
];

for (const { name, sandbox: tokens } of FRAMES) {
  test(`${name} leaves by the top window`, async ({ page, hosts, addresses, shopper, guard, sandbox }) => {
    guard.allow(/both allow-scripts and allow-same-origin/);
    const inner = hosts.listed.shows(hostPage(element(addresses.shop)));
    const attribute = tokens === null ? '' : `sandbox="${tokens}"`;
    await page.goto(hosts.unlisted.shows(hostPage(`<iframe ${attribute} src="${inner}" width="800" height="1600"></iframe>`)));
    const widget = new Widget(page, shopper, 'tillgate-checkout', 'iframe');
    await widget.buys();
    expect(await sandbox.statuses()).toEqual(['paid']);
  });
}

test('a sandboxed frame without permission shows a link', async ({ page, context, hosts, addresses, shopper, guard }) => {
  guard.allow(/both allow-scripts and allow-same-origin/);
  guard.allow(/Unsafe attempt to initiate navigation/);
  guard.expect(/add allow-top-navigation-by-user-activation to its sandbox attribute/);
  const inner = hosts.listed.shows(hostPage(element(addresses.shop)));
  await page.goto(hosts.unlisted.shows(hostPage(`<iframe sandbox="allow-scripts allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox" src="${inner}" width="800" height="1600"></iframe>`)));
  const widget = new Widget(page, shopper, 'tillgate-checkout', 'iframe');
  await widget.isReady();
  await widget.fill();
  await widget.pay.click();
  const link = widget.note.getByRole('link');
  await expect(link).toBeVisible();
  await expect(widget.note).toBeFocused();
  await expect(widget.pay).toBeEnabled();
  await page.screenshot({ path: 'artifacts/hosts/sandboxed-frame.png', fullPage: true });
  const opened = context.waitForEvent('page');
  await link.click();
  await expect((await opened).getByRole('heading', { level: 1, name: /^Pay / })).toBeVisible();
});

test('a sandboxed frame without forms shows a link', async ({ page, context, hosts, addresses, shopper, guard }) => {
  guard.allow(/both allow-scripts and allow-same-origin/);
  guard.allow(/Blocked form submission/);
  guard.expect(/add allow-forms to its sandbox attribute/);
  const inner = hosts.listed.shows(hostPage(element(addresses.shop)));
  await page.goto(hosts.unlisted.shows(hostPage(`<iframe sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox" src="${inner}" width="800" height="1600"></iframe>`)));
  const widget = new Widget(page, shopper, 'tillgate-checkout', 'iframe');
  await widget.isReady();
  await widget.pay.click();
  await expect(widget.note).toBeFocused();
  const opened = context.waitForEvent('page');
  await widget.note.getByRole('link').click();
  await expect((await opened).getByRole('heading', { level: 1, name: 'Checkout' })).toBeVisible();
});
