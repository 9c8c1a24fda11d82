// Weighs what the checkout page loads, and the widget: size.mjs TILLGATE SITE
//
// Starts the demonstration on free ports with a built site, puts three articles into a cart, fetches the
// checkout and every file that it names, and prints what each is compressed by brotli at its best; then the same
// for the widget's package. Ends with 1 where HTML and CSS together are over their budget, or the widget is above
// what it may never exceed.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { brotliCompressSync, constants } from 'node:zlib';

/** What fits into the first round trip of a connection. */
const FIRST_BYTES = 14_600;
const ARTICLES = 3;
/** What Adyen's widget weighs that only redirects, and what ours may never exceed. */
const WIDGET_BYTES = 56_900;
const WIDGET_LIMIT = 80_000;
/** The widget as one script element of a CDN loads it, style sheets and glue within the script; and as the server
 * serves it, in modules. */
const WIDGETS = {
  'The widget of the package': filesOf('widget/npm/package/cdn'),
  'The widget of the server': filesOf(join(process.argv[3], 'widget')),
};

const [tillgate, site] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'tillgate-size-'));
const demo = spawn(
  tillgate,
  ['dev', '--json', '--listen', '127.0.0.1:0', '--sandbox-port', '0', '--dir', folder, '--site', site, '--log', 'error'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const ended = new Promise((resolve) => demo.on('exit', resolve));
try {
  const fits = [report(await weigh(await address())), ...Object.entries(WIDGETS).map(([name, files]) => reportWidget(name, files))];
  process.exitCode = fits.every(Boolean) ? 0 : 1;
} finally {
  demo.kill();
  await ended;
  rmSync(folder, { recursive: true });
}

/** The shop's address: the first line that the demonstration prints. */
async function address() {
  for await (const line of createInterface({ input: demo.stdout })) {
    return JSON.parse(line).shop;
  }
  throw new Error('the demonstration did not start');
}

/** The checkout page and its files, each with its kind and its size. */
async function weigh(shop) {
  const catalogue = await (await fetch(shop)).text();
  const skus = [...catalogue.matchAll(/name="sku" value="([^"]+)"/g)].slice(0, ARTICLES);
  let cookie = '';
  for (const [, sku] of skus) {
    const added = await fetch(`${shop}/cart/add`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams({ sku, quantity: '1' }),
      redirect: 'manual',
    });
    cookie = added.headers.getSetCookie()[0].split(';')[0];
  }
  const page = await fetch(`${shop}/checkout`, { headers: { cookie } });
  const html = await page.text();
  const files = [{ kind: 'html', name: '/checkout', ...sizes(Buffer.from(html)) }];
  // The WebAssembly is named in the script that starts it.
  const named = [/<(?:link|script|img)\b[^>]*?(?:href|src)="([^"]+)"/g, /"([^"]+\.wasm)"/g].flatMap((pattern) => [
    ...html.matchAll(pattern),
  ]);
  for (const path of new Set(named.map(([, path]) => path))) {
    const url = new URL(path, shop);
    if (url.origin !== shop) throw new Error(`the page loads ${url} from another origin`);
    const file = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
    if (!file.ok) throw new Error(`${path}: ${file.status}`);
    files.push({ kind: kind(path), name: path, ...sizes(Buffer.from(await file.arrayBuffer())) });
  }
  return files;
}

function kind(path) {
  return path.slice(path.lastIndexOf('.') + 1);
}

function sizes(content) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 22,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  return { plain: content.length, small: brotliCompressSync(content, { params }).length };
}

function row(name, plain, small) {
  console.log(name.padEnd(52), String(plain).padStart(9), String(small).padStart(9));
}

/** Prints the table of the widget; `false` where it is too large. */
/** The scripts, style sheets and WebAssembly of a folder, not what is compressed of them already. */
function filesOf(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => /\.(js|css|wasm)$/.test(name));
  return names.map((name) => join(folder, name));
}

function reportWidget(name, files) {
  console.log();
  row(name, 'bytes', 'brotli');
  let total = 0;
  for (const file of files) {
    const { plain, small } = sizes(readFileSync(file));
    row(file, plain, small);
    total += small;
  }
  console.log();
  row(`All of it, aiming at ${WIDGET_BYTES}, at most ${WIDGET_LIMIT}`, '', total);
  if (total > WIDGET_LIMIT) console.log(`\nThe widget is ${total - WIDGET_LIMIT} bytes above what it may never exceed.`);
  return total <= WIDGET_LIMIT;
}

/** Prints the table of the page; `false` where the budget is exceeded. */
function report(files) {
  const sum = (...kinds) =>
    files.filter(({ kind }) => kinds.includes(kind)).reduce((total, { small }) => total + small, 0);
  row('/checkout, three articles in the cart', 'bytes', 'brotli');
  for (const { name, plain, small } of files) row(name, plain, small);
  const first = sum('html', 'css');
  console.log();
  row(`HTML and CSS, at most ${FIRST_BYTES}`, '', first);
  row('JavaScript and WebAssembly', '', sum('js', 'wasm'));
  row('Pictures', '', sum('svg'));
  if (first > FIRST_BYTES) console.log(`\nHTML and CSS are ${first - FIRST_BYTES} bytes over their budget.`);
  return first <= FIRST_BYTES;
}
