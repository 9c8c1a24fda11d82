/** Prices that the shop's backend signed, with the examples that sign them. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';

import { hostPage } from '../support/host-page.ts';
import { expect, test } from '../support/hosts.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/signed-quote');
const QUOTE_SECRET = 'this-secret-is-public-and-only-for-tillgate-dev';

interface Quote {
  [member: string]: unknown;
}

function quote(more: Quote = {}): Quote {
  return {
    id: randomUUID(),
    expires: Math.floor(Date.now() / 1000) + 3600,
    currency: 'EUR',
    lines: [
      { sku: 'vase', name: 'Vase “Grün”', quantity: 2, unit: 4500, vat: 1900 },
      { kind: 'delivery', name: 'Courier', unit: 690, vat: 1900 },
      { kind: 'discount', name: 'Welcome', unit: -1000, vat: 1900 },
    ],
    ...more,
  };
}

/** What the shop's backend does, in Node, PHP or Python. */
function sign(content: Quote, program = 'node', file = 'node.mjs', secret = QUOTE_SECRET): string {
  const env = { ...process.env, QUOTE_SECRET: secret };
  return execFileSync(program, [path.join(EXAMPLES, file), 'dev'], { input: JSON.stringify(content), env, encoding: 'utf8' }).trim();
}

function page(api: string, signed: string): ReturnType<typeof hostPage> {
  return hostPage(`<tillgate-checkout api="${api}" quote="${signed}" lines="mug:2"><a href="${api}/checkout?quote=${signed}">To the checkout</a></tillgate-checkout>`);
}

test('are charged as they were signed', async ({ page: tab, hosts, addresses, widget, sandbox, shopper }) => {
  await widget.listens();
  const home = `${hosts.listed.origin}/home`;
  await tab.goto(hosts.listed.shows(page(addresses.shop, sign(quote({ reference: 'A-1', return_url: home })))));
  await widget.hasTotal('€86.90');
  await expect(widget.element.getByText('Vase “Grün”').first()).toBeVisible();
  await expect(widget.element.getByText('Welcome', { exact: true })).toBeVisible();
  await expect(widget.quantity('Vase “Grün”')).toHaveCount(0);
  await expect.poll(() => widget.heard('tillgate-change')).toMatchObject([{ fixed: true, lines: [{ sku: 'mug', quantity: 2 }], pieces: 2, total: { minor: 8690 } }]);
  await tab.screenshot({ path: 'artifacts/hosts/quote.png', fullPage: true });
  await widget.buys();
  expect(await sandbox.onlyPayment()).toMatchObject({ status: 'paid', minor: 8690 });
  await expect(shopper.order.details).toContainText('2 × Vase “Grün”');
  await expect(tab.getByRole('link', { name: /^Back to localhost/ })).toHaveAttribute('href', home);
});

test('are taken by the hosted page as well', async ({ page: tab, addresses, shopper, sandbox }) => {
  await tab.goto(`${addresses.shop}/checkout?quote=${sign(quote(), 'python3', 'quote.py')}`);
  await shopper.checkout.fill();
  await shopper.checkout.pay.click();
  await shopper.gateway.isShown();
  await shopper.gateway.paysAndReturns();
  await shopper.order.says('paid');
  expect(await sandbox.onlyPayment()).toMatchObject({ minor: 8690 });
});

const good = sign(quote());
const [version, key, , signature] = good.split('.');
const cheaper = Buffer.from(JSON.stringify(quote({ lines: [{ name: 'Vase', unit: 1, vat: 1900 }] }))).toString('base64url');

const REFUSED = [
  { name: 'of another secret', signed: () => sign(quote(), 'node', 'node.mjs', 'another-secret-that-nobody-was-given'), code: 'quote_forged', words: "The shop's offer was changed on the way" },
  { name: 'changed after they were signed', signed: () => `${version}.${key}.${cheaper}.${signature}`, code: 'quote_forged', words: "The shop's offer was changed on the way" },
  { name: 'expired', signed: () => sign(quote({ expires: 1_700_000_000 })), code: 'quote_expired', words: "The shop's offer has expired." },
  { name: 'with a member that nobody knows', signed: () => sign(quote({ discount: 10 })), code: 'quote_unreadable', words: "The shop's offer could not be read" },
  { name: 'in a currency that no store takes', signed: () => sign(quote({ currency: 'JPY' })), code: 'quote_currency', words: "a currency that cannot be paid here" },
];

for (const { name, signed, code, words } of REFUSED) {
  test(`are refused in words: ${name}`, async ({ page: tab, hosts, addresses, widget, sandbox, guard }) => {
    guard.expect(new RegExp(`<tillgate-checkout> The signed quote is refused: ${code}`));
    await widget.listens();
    await tab.goto(hosts.listed.shows(page(addresses.shop, signed())));
    await expect(widget.element.getByText(words).filter({ visible: true })).toHaveCount(1);
    await expect.poll(async () => (await widget.heard('tillgate-error')).map((detail) => detail['code'])).toEqual([code]);
    await tab.screenshot({ path: `artifacts/hosts/${code}.png` });
    await expect(widget.pay).toHaveCount(0);
    expect(await sandbox.payments()).toEqual([]);
  });
}

test('may be set late and changed, and each pays an order of its own', async ({ page: tab, hosts, addresses, widget, shopper, sandbox }) => {
  const shop = hosts.listed.shows(hostPage(`<tillgate-checkout api="${addresses.shop}" lines="mug:1"></tillgate-checkout>`));
  const first = sign(quote());
  const second = sign(quote({ lines: [{ name: 'Vase', unit: 5000, vat: 1900 }] }));
  const shows = async (signed: string, total: string): Promise<void> => {
    await tab.locator('tillgate-checkout').evaluate((element, text) => element.setAttribute('quote', text), signed);
    await widget.hasTotal(total);
  };
  await tab.goto(shop);
  await expect(widget.pay).toBeVisible();
  await shows(first, '€86.90');
  await widget.buys();

  // Wherever it is shown again, it leads back to its order.
  await tab.goto(shop);
  await expect(widget.pay).toBeVisible();
  await shows(first, '€86.90');
  await widget.fill();
  await widget.pay.click();
  await shopper.order.says('paid');

  // Another one is another purchase.
  await tab.goto(shop);
  await shows(first, '€86.90');
  await shows(second, '€50.00');
  await widget.buys();
  expect((await sandbox.payments()).map((payment) => payment.minor).sort()).toEqual([5000, 8690]);
});

test('are used once', async ({ page: tab, hosts, addresses, widget, shopper, sandbox, guard }) => {
  guard.expectStatus(409);
  const content = quote();
  const shop = hosts.listed.shows(page(addresses.shop, sign(content)));
  await tab.goto(shop);
  await widget.buys();

  // The same one leads back to its order.
  await tab.goto(shop);
  await widget.fill();
  await widget.pay.click();
  await shopper.order.says('paid');

  // One with the same id is refused, whatever else it says.
  await widget.listens();
  const again = sign({ ...content, lines: [{ name: 'Vase', unit: 4500, vat: 1900 }] });
  await tab.goto(hosts.listed.shows(page(addresses.shop, again)));
  await widget.fill();
  await widget.pay.click();
  await expect(widget.problems).toContainText('An order was already placed with this offer.');
  expect((await widget.heard('tillgate-error')).map((detail) => detail['code'])).toEqual(['quote_used']);
  expect(await sandbox.statuses()).toEqual(['paid']);
});
