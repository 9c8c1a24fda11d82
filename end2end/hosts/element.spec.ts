/** The element in all kinds of pages. */

import type { Page } from '@playwright/test';

import { Gate } from '../support/gate.ts';
import { element, hostPage } from '../support/host-page.ts';
import { expect, test } from '../support/hosts.ts';
import { Widget } from '../support/widget.ts';

test.describe('what a page sets', () => {
  test('counts when it is set before the element is defined', async ({ page, hosts, addresses, widget }) => {
    const script = `
      const checkout = document.createElement('tillgate-checkout');
      checkout.api = '${addresses.shop}/';
      checkout.lines = [{ sku: 'mug', quantity: 3 }];
      checkout.customer = { email: 'grace@example.com', city: 'New York' };
      document.body.append(checkout);`;
    // A plain script: it runs before any module does.
    const { html } = hostPage('');
    await page.goto(hosts.listed.shows({ html: html.replace('</body>', `<script>${script}</script></body>`) }));
    await widget.hasTotal('€61.60');
    await expect(widget.field('Email address')).toHaveValue('grace@example.com');
    await expect(widget.field('Town or city')).toHaveValue('New York');
  });

  test('can be set later, and what was typed stays', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.isReady();
    await widget.field('First name').fill('Grace');
    await widget.does((checkout) => {
      checkout.customer = { first_name: 'Ada', family_name: 'Lovelace' };
      checkout.lines = 'sencha:1';
    });
    await widget.hasTotal('€19.80');
    await expect(widget.field('First name')).toHaveValue('Grace');
    await expect(widget.field('Last name')).toHaveValue('Lovelace');
  });

  test('can be set again without effect, as frameworks do', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.quantity('Terracotta mug').fill('5');
    await widget.hasTotal('€99.40');
    await widget.does((checkout) => {
      checkout.lines = [{ sku: 'mug', quantity: 2 }];
    });
    expect(await widget.does((checkout) => checkout.lines)).toEqual([{ sku: 'mug', quantity: 5 }]);
  });

  test('is refused in words where it cannot be read', async ({ page, hosts, addresses, widget, guard }) => {
    guard.expect(/<tillgate-checkout> "a b" is no sku/);
    guard.expect(/<tillgate-checkout> 1.5 is no quantity/);
    await widget.listens();
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.hasTotal('€42.70');
    const thrown = await widget.does((checkout) => {
      checkout.lines = 'a b:1';
      checkout.lines = [{ sku: 'mug', quantity: 1.5 }];
      try {
        checkout.addLine('mug', -1);
      } catch (error) {
        return String(error);
      }
      return '';
    });
    expect(thrown).toContain('TypeError: -1 is no quantity');
    expect((await widget.heard('tillgate-error')).map(({ code }) => code)).toEqual(['lines', 'lines']);
    await widget.hasTotal('€42.70');
  });

  test('methods change the cart', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.hasTotal('€42.70');
    await widget.does((checkout) => {
      checkout.addLine('sencha');
      checkout.addLine('mug');
    });
    await widget.hasTotal('€76.50');
    await widget.does((checkout) => checkout.setLine('mug', 1));
    await widget.hasTotal('€38.70');
    await widget.does((checkout) => checkout.removeLine('sencha'));
    await widget.hasTotal('€23.80');
    await widget.does((checkout) => checkout.clearLines());
    await expect(widget.element.getByRole('heading', { name: 'Your cart is empty' })).toBeVisible();
    await widget.does((checkout) => checkout.setLine('caddy', 1));
    await widget.hasTotal('€32.90');
  });

  test('a language is that of the page, and can be another', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.isReady();
    await widget.field('First name').fill('Grace');
    await widget.option('Express').check();
    await widget.option('iDEAL').check();
    await widget.does((checkout) => {
      checkout.lang = 'de';
    });
    await expect(widget.element.getByRole('button', { name: /49,70.*mit myPOS/ })).toBeVisible();
    await expect(widget.element.getByLabel('Vorname')).toHaveValue('Grace');
    await expect(widget.option('Express')).toBeChecked();
    await expect(widget.option('iDEAL')).toBeChecked();
  });
});

test('an order in German stays German on the pages that follow, whatever the browser prefers', async ({ page, hosts, addresses, widget, shopper }) => {
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await widget.isReady();
  await widget.fill();
  await widget.does((checkout) => {
    checkout.lang = 'de';
  });
  await widget.element.getByRole('button', { name: /mit myPOS/ }).click();
  await shopper.gateway.isShown();
  await shopper.gateway.cancels();
  await page.waitForURL(/\/checkout\/cancelled\//);
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
});

test.describe('events', () => {
  test('tell of prices, of what is missing, and of leaving', async ({ page, hosts, addresses, widget, shopper }) => {
    await widget.listens();
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.isReady();
    await expect.poll(() => widget.heard('tillgate-change')).toMatchObject([
      { lines: [{ sku: 'mug', quantity: 2 }], pieces: 2, total: { minor: 4270, text: '€42.70' }, currency: 'EUR', fixed: false },
    ]);
    await widget.pay.click();
    await expect(widget.problems).toBeVisible();
    const [{ fields } = { fields: [] }] = await widget.heard<{ fields: { field: string; message: string }[] }>('tillgate-invalid');
    expect(fields).toContainEqual(expect.objectContaining({ field: 'email', message: 'Enter your email address' }));
    await widget.fill();
    await widget.pay.click();
    await shopper.gateway.isShown();
  });

  test('leaving can be cancelled, and done by the page', async ({ page, hosts, addresses, widget, shopper, sandbox }) => {
    const script = `document.addEventListener('tillgate-redirect', (event) => {
      event.preventDefault();
      document.title = event.detail.url;
    });`;
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { script })));
    await widget.isReady();
    await widget.fill();
    await widget.pay.click();
    await expect(page).toHaveTitle(/\/checkout\/go\//);
    await expect(widget.pay).toBeVisible();
    await page.goto(await page.title());
    await shopper.gateway.isShown();
    await shopper.gateway.paysAndReturns();
    await shopper.order.says('paid');
    expect(await sandbox.statuses()).toEqual(['paid']);
  });

  test('cross the shadow root around the element', async ({ page, hosts, addresses, widget }) => {
    await widget.listens();
    const script = `
      const outer = document.querySelector('#outer').attachShadow({ mode: 'open' });
      outer.innerHTML = '${element(addresses.shop)}';`;
    await page.goto(hosts.listed.shows(hostPage('<div id="outer"></div>', { script })));
    await widget.isReady();
    await expect.poll(async () => (await widget.heard('tillgate-change')).length).toBe(1);
  });
});

test.describe('in the page', () => {
  test('two elements are two checkouts', async ({ page, hosts, addresses, shopper, sandbox }) => {
    const body = `${element(addresses.shop, 'id="one" lines="mug:1"')} ${element(addresses.shop, 'id="two" lines="caddy:2" cart="second"')}`;
    await page.goto(hosts.listed.shows(hostPage(body)));
    const [one, two] = [new Widget(page, shopper, '#one'), new Widget(page, shopper, '#two')];
    await one.hasTotal('€23.80');
    await two.hasTotal('€60.90');
    await one.field('First name').fill('Grace');
    await one.option('Bank transfer').check();
    await expect(two.field('First name')).toHaveValue('');
    await expect(two.option('Card')).toBeChecked();
    await one.does((checkout) => checkout.remove());
    await two.buys();
    expect(await sandbox.onlyPayment()).toMatchObject({ minor: 6090 });
  });

  test('a move keeps what was typed', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(`<main>${element(addresses.shop)}</main><footer></footer>`)));
    await widget.isReady();
    const field = await widget.field('First name').elementHandle();
    await field?.fill('Grace');
    await page.evaluate(() => document.querySelector('footer')?.append(document.querySelector('tillgate-checkout') ?? ''));
    expect(await field?.evaluate((input) => input.isConnected)).toBe(true);
    await expect(widget.field('First name')).toHaveValue('Grace');
    await expect(widget.pay).toHaveCount(1);
  });

  test('removed and put back, it is one checkout again', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.isReady();
    await widget.field('First name').fill('Grace');
    await widget.quantity('Terracotta mug').fill('3');
    await widget.hasTotal('€61.60');
    const inside = await page.evaluate(async () => {
      const checkout = document.querySelector('tillgate-checkout');
      checkout?.remove();
      await Promise.resolve();
      const root = checkout?.shadowRoot;
      const left = root?.querySelectorAll('form, button').length;
      document.body.append(checkout ?? '');
      return left;
    });
    expect(inside).toBe(0);
    await widget.hasTotal('€61.60');
    await expect(widget.pay).toHaveCount(1);
    await expect(widget.field('First name')).toHaveValue('Grace');
  });

  test('put back, what was typed stays and what the page knows of the shopper can still change', async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.isReady();
    await widget.does((checkout) => {
      checkout.customer = { first_name: 'Ada', city: 'London', street: '12 St James’s Square' };
    });
    await widget.field('Last name').fill('Hopper');
    await widget.field('Street and house number').fill('');
    const putsBack = (customer: Record<string, string>): Promise<void> =>
      page.evaluate(async (known) => {
        const checkout = document.querySelector('tillgate-checkout') as (HTMLElement & { customer: object }) | null;
        checkout?.remove();
        await Promise.resolve();
        if (checkout !== null) checkout.customer = known;
        document.body.append(checkout ?? '');
      }, customer);
    // Somebody signed in meanwhile.
    await putsBack({ first_name: 'Grace', family_name: 'Lovelace', email: 'grace@example.com', street: '12 St James’s Square' });
    await widget.isReady();
    await expect(widget.field('Email address')).toHaveValue('grace@example.com');
    await expect(widget.field('First name')).toHaveValue('Grace');
    await expect(widget.field('Last name')).toHaveValue('Hopper');
    await expect(widget.field('Town or city')).toHaveValue('');
    await expect(widget.field('Street and house number')).toHaveValue('');
    await widget.does((checkout) => {
      checkout.customer = { email: 'hopper@example.com' };
    });
    await expect(widget.field('Email address')).toHaveValue('hopper@example.com');
    await expect(widget.field('Last name')).toHaveValue('Hopper');
    await expect(widget.field('First name')).toHaveValue('');
  });

  test('removed before it was there, it does not come late', async ({ page, hosts, addresses, widget }) => {
    const gate = new Gate();
    let asked = 0;
    await page.route('**/api/checkout/widget?*', async (route) => {
      asked += 1;
      await gate.passed;
      await route.continue();
    });
    await widget.listens();
    await page.goto(hosts.listed.shows(hostPage('<main></main>')));
    await page.evaluate((html) => document.querySelector('main')?.insertAdjacentHTML('beforeend', html), element(addresses.shop));
    for (const times of [1, 2, 3]) {
      await expect.poll(() => asked).toBe(times);
      await page.evaluate(async () => {
        const checkout = document.querySelector('tillgate-checkout');
        checkout?.remove();
        await Promise.resolve();
        document.querySelector('main')?.append(checkout ?? '');
      });
    }
    await expect.poll(() => asked).toBe(4);
    gate.open();
    await widget.isReady();
    await page.unrouteAll({ behavior: 'wait' });
    await expect(widget.pay).toHaveCount(1);
    expect(await widget.heard('tillgate-change')).toHaveLength(1);
  });

  test('a cart is known again, by the first element that has its name', async ({ page, hosts, addresses, shopper }) => {
    const asked: (string | null)[] = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === '/api/checkout/widget') asked.push(searchParams.get('cart_id'));
    });
    const body = ['one', 'two', 'three" cart="other'].map((id) => element(addresses.shop, `lines="mug:1" id="${id}"`)).join('');
    await page.goto(hosts.listed.shows(hostPage(body)));
    for (const id of ['one', 'two', 'three']) await new Widget(page, shopper, `#${id}`).isReady();
    expect(asked).toEqual([null, null, null]);
    await page.reload();
    for (const id of ['one', 'two', 'three']) await new Widget(page, shopper, `#${id}`).isReady();
    const [one, two, three] = asked.slice(3);
    expect(one).toMatch(/^[\w-]{22,64}$/);
    expect(two).toBeNull();
    expect(three).toMatch(/^[\w-]{22,64}$/);
    expect(three).not.toBe(one);
  });

  test('a cart that comes later, or is filled again, is known again', async ({ page, hosts, addresses, widget }) => {
    const asked: (string | null)[] = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === '/api/checkout/widget') asked.push(searchParams.get('cart_id'));
    });
    const empty = widget.element.getByRole('heading', { name: 'Your cart is empty' });
    const fills = async (): Promise<void> => {
      await widget.does((checkout) => checkout.addLine('mug'));
      await widget.hasTotal('€23.80');
    };
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop, ''))));
    await expect(empty).toBeVisible();
    await fills();
    await page.reload();
    await expect(empty).toBeVisible();
    await fills();
    await widget.does((checkout) => checkout.clearLines());
    await expect(empty).toBeVisible();
    await fills();
    await page.reload();
    await expect(empty).toBeVisible();
    const [first, second, third] = asked;
    expect([first, asked.length]).toEqual([null, 3]);
    expect(second).toMatch(/^[\w-]{22,64}$/);
    expect(third).toBe(second);
  });

  test('a second copy of the package does no harm', async ({ page, hosts, addresses, widget }) => {
    const head = `<script type="module" src="/cdn/tillgate-checkout.js"></script>
      <script type="module" src="${addresses.shop}/widget/v1/tillgate-checkout.js"></script>`;
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { head })));
    await widget.isReady();
  });

  test('another name can be chosen', async ({ page, hosts, addresses, shopper }) => {
    const html = `<!DOCTYPE html><html lang="en"><title>Another name</title>
      <script type="module">
        import { TillgateCheckout, define } from '/element.js';
        document.title = String(customElements.get('tillgate-checkout'));
        define('pay-here');
        define('pay-here');
        document.title += document.querySelector('pay-here') instanceof TillgateCheckout;
      </script>
      <pay-here api="${addresses.shop}" lines="mug:1"></pay-here>`;
    await page.goto(hosts.listed.shows({ html }));
    await new Widget(page, shopper, 'pay-here').hasTotal('€23.80');
    await expect(page).toHaveTitle('undefinedtrue');
  });
});

test.describe('styles', () => {
  const HOSTILE = `<style>
    h1, h2, h3 { color: red } * { box-sizing: content-box }
    body { color: red; font: italic 700 30px/3 cursive; letter-spacing: 0.2em; word-spacing: 1em;
      text-align: right; text-transform: uppercase; text-indent: 2em; white-space: pre; cursor: wait }
    button, input, select, p, li, dl, fieldset, legend, a { color: red; margin: 30px; padding: 30px; border: 9px solid red; background: red }
  </style>`;
  const BODY = (api: string): string => `<div style="width: 900px; box-sizing: border-box; padding: 0">${element(api)}</div>`;

  test("of the page don't leak in", async ({ page, hosts, addresses, widget }) => {
    await page.goto(hosts.listed.shows(hostPage(BODY(addresses.shop))));
    await widget.hasTotal('€42.70');
    const friendly = await looks(page);
    await page.goto(hosts.listed.shows(hostPage(BODY(addresses.shop), { head: HOSTILE })));
    await widget.hasTotal('€42.70');
    const hostile = await looks(page);
    expect(friendly.length).toBeGreaterThan(80);
    expect(hostile).toEqual(friendly);
  });

  test("of the checkout don't leak out", async ({ page, hosts, addresses, widget }) => {
    const around = '<h1>Shop</h1><h2>Cart</h2><p>Text <a href="#">link</a></p><button class="button pay">Buy</button><ul class="card"><li>Tea</li></ul>';
    const outside = (): Promise<string[]> => page.locator('h1, h2, p, a[href="#"], button, ul, li, body, html').evaluateAll((elements) =>
      elements
        .filter((element) => element.getRootNode() === document)
        .map((element) => JSON.stringify([...getComputedStyle(element)].filter((name) => !/block-size|height|origin/.test(name)).map((name) => [name, getComputedStyle(element).getPropertyValue(name)]))));
    await page.goto(hosts.listed.shows(hostPage(around)));
    const before = await outside();
    await page.goto(hosts.listed.shows(hostPage(around + element(addresses.shop))));
    await widget.isReady();
    expect(await outside()).toEqual(before);
    expect(before.length).toBeGreaterThan(8);
  });

  test('follow custom properties and parts', async ({ page, hosts, addresses, widget }) => {
    const head = `<style>
      tillgate-checkout { --tillgate-accent: rgb(1, 2, 3) }
      tillgate-checkout::part(button) { text-transform: uppercase }
    </style>`;
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { head })));
    await widget.isReady();
    await expect(widget.pay).toHaveCSS('background-color', 'rgb(1, 2, 3)');
    await expect(widget.pay).toHaveCSS('text-transform', 'uppercase');
  });

  test("follow the page's color scheme, not the machine's", async ({ page, hosts, addresses, widget }) => {
    await page.emulateMedia({ colorScheme: 'dark' });
    const background = (): Promise<string> => widget.summary.evaluate((summary) => getComputedStyle(summary).backgroundColor);
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
    await widget.isReady();
    const light = await background();
    await page.goto(hosts.listed.shows(hostPage(element(addresses.shop), { head: '<style>:root { color-scheme: light dark }</style>' })));
    await widget.isReady();
    const dark = await background();
    expect(dark).not.toBe(light);
    await widget.does((checkout) => {
      checkout.style.colorScheme = 'light';
    });
    expect(await background()).toBe(light);
  });
});

test('the parts that the manifest names are there', async ({ page, hosts, addresses, widget }) => {
  const answer = await page.request.get(`${hosts.listed.origin}/custom-elements.json`);
  const { modules } = (await answer.json()) as { modules: { declarations: { cssParts?: { name: string }[] }[] }[] };
  const named = modules.flatMap(({ declarations }) => declarations).flatMap(({ cssParts = [] }) => cssParts.map(({ name }) => name));
  await page.goto(hosts.listed.shows(hostPage(element(addresses.shop))));
  await widget.isReady();
  const seen = await widget.does((checkout) =>
    [...(checkout.shadowRoot?.querySelectorAll('[part]') ?? [])].flatMap((part) => [...part.part]));
  expect([...new Set(seen)].sort()).toEqual([...named].sort());
});

/** Every computed style of everything inside of the element, but what differs by nature. */
async function looks(page: Page): Promise<unknown[]> {
  return page.locator('tillgate-checkout').evaluate((checkout) =>
    [...(checkout.shadowRoot?.querySelectorAll('.tillgate, .tillgate *') ?? [])]
      .map((element) => {
        const style = getComputedStyle(element);
        return [element.localName, element.className, Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)]))];
      }));
}
