/** The examples, and a purchase through each. */

import { EXAMPLE, type Example, expect, test } from '../support/hosts.ts';
import { Widget } from '../support/widget.ts';

/** The shortest WebAssembly there is: its magic number and version. */
const EMPTY_MODULE = Buffer.from('0061736d01000000', 'hex');

/** What the examples with the element say to who comes back. */
const WELCOME: Partial<Record<Example, string>> = {
  plain: 'Welcome back. Thank you for looking in.',
  react: 'Welcome back. Your tea is on its way.',
  vue: 'Welcome back. Your parcel is being packed.',
  svelte: 'Welcome back. The kettle is on.',
};

for (const name of Object.keys(EXAMPLE) as Example[]) {
  test(`a shopper buys in a shop made with ${name}, and comes home`, async ({ page, hosts, widget, shopper, sandbox }) => {
    const home = hosts.examples[name];
    await page.goto(home);
    // In Leptos the checkout is a component of the page, without an element around it.
    const checkout = name === 'leptos' ? new Widget(page, shopper, 'main') : widget;
    await checkout.buys();
    expect(await sandbox.statuses()).toEqual(['paid']);
    await page.getByRole('link', { name: /^Back to localhost/ }).click();
    await expect(page.getByText(WELCOME[name] ?? 'Moss & Steam')).toBeVisible();
    expect(new URL(page.url()).origin).toBe(home);
  });
}

test('in React, the cart of the page and the cart of the checkout are one', async ({ page, hosts, widget }) => {
  await page.goto(hosts.examples.react);
  await widget.hasTotal('€19.80');
  await page.getByRole('button', { name: 'Earl Grey' }).click();
  await widget.hasTotal('€29.60');
  await widget.element.getByRole('button', { name: 'Remove Sencha Kagoshima' }).click();
  await widget.hasTotal('€14.70');
  await expect(page.getByRole('button', { name: 'Sencha' })).toHaveAttribute('aria-pressed', 'false');
  await expect(page.getByRole('banner')).toContainText('€14.70');
});

test('in Vue, too', async ({ page, hosts, widget }) => {
  await page.goto(hosts.examples.vue);
  await widget.hasTotal('€32.90');
  await widget.quantity('Tea caddy').fill('2');
  await widget.hasTotal('€60.90');
  await page.getByRole('button', { name: 'Add Tea caddy' }).click();
  await widget.hasTotal('€88.90');
});

test('in Svelte, too', async ({ page, hosts, widget }) => {
  await page.goto(hosts.examples.svelte);
  await page.getByRole('checkbox').check();
  await widget.hasTotal('€87.80');
  await widget.element.getByRole('button', { name: 'Remove Terracotta mug' }).click();
  await expect(page.getByRole('checkbox')).not.toBeChecked();
});

test('without a framework, a button adds a line', async ({ page, hosts, widget }) => {
  await page.goto(hosts.examples.plain);
  await widget.isReady();
  await page.getByRole('button', { name: 'Add a teapot' }).click();
  await widget.hasTotal('€87.80');
});

test("the CDN build, held to its hashes, sells as well", async ({ page, hosts, addresses, widget, sandbox }) => {
  const answer = await page.request.get(`${hosts.listed.origin}/cdn/integrity.json`);
  const { integrity } = (await answer.json()) as { integrity: Record<string, string> };
  const script = `<script type="module" src="/cdn/tillgate-checkout.js" integrity="${integrity['tillgate-checkout.js']}"></script>`;
  const html = `<!DOCTYPE html><html lang="en"><title>CDN</title>${script}<tillgate-checkout api="${addresses.shop}" lines="mug:1"></tillgate-checkout>`;
  await page.goto(hosts.listed.shows({ html }));
  await widget.buys();
  expect(await sandbox.statuses()).toEqual(['paid']);
});

test('the CDN build refuses a WebAssembly that is not its own', async ({ page, hosts, addresses, widget, guard }) => {
  guard.expect(/integrity/);
  guard.expect(/<tillgate-checkout> The files of the checkout could not be loaded/);
  await page.route('**/cdn/*.wasm', (route) => route.fulfill({ body: EMPTY_MODULE, contentType: 'application/wasm' }));
  const html = `<!DOCTYPE html><html lang="en"><title>CDN</title><script type="module" src="/cdn/tillgate-checkout.js"></script><tillgate-checkout api="${addresses.shop}" lines="mug:1"></tillgate-checkout>`;
  await page.goto(hosts.listed.shows({ html }));
  await expect(widget.note).toContainText('The checkout cannot be shown here.');
});
