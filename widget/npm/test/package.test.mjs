// The package as it is published: what is in it, what types and tools make of it, and what Node does.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { before, test } from 'node:test';

const NPM = resolve(import.meta.dirname, '..');
const ROOT = resolve(NPM, '../..');
const BIN = join(NPM, 'node_modules/.bin');
/** A project that has the package installed. */
const PROJECT = join(NPM, 'package-check');
const INSTALLED = join(PROJECT, 'node_modules/@tillgate/checkout');

before(() => {
  run('node', ['scripts/build.mjs'], NPM);
  rmSync(PROJECT, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  // Without it, the name of the package would mean the folder that it is made in.
  writeFileSync(join(PROJECT, 'package.json'), '{"private": true, "type": "module"}');
  const packed = run('npm', ['pack', './package', '--silent', '--pack-destination', PROJECT], NPM).trim();
  run('tar', ['-xzf', join(PROJECT, packed), '--strip-components=1', '-C', INSTALLED], NPM);
});

test('publint has nothing to say', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: INSTALLED, strict: true });
  assert.deepEqual(messages, []);
});

test('the types are right in every kind of import', () => {
  run(join(BIN, 'attw'), ['--pack', join(NPM, 'package'), '--profile', 'esm-only'], NPM);
});

test('everything that is exported is there, and nothing that was not built', () => {
  const manifest = JSON.parse(readFileSync(join(INSTALLED, 'package.json'), 'utf8'));
  const files = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target)));
  const more = ['README.md', 'LICENSE-MIT', 'LICENSE-APACHE', 'THIRD-PARTY.txt', 'tillgate-widget.js', 'tillgate-widget_bg.wasm', 'cdn/tillgate-checkout.js', 'cdn/tillgate-widget_bg.wasm', 'cdn/integrity.json'];
  for (const file of [...files, ...more]) assert.ok(existsSync(join(INSTALLED, file)), file);
  assert.equal(manifest.scripts, undefined);
  assert.equal(manifest.devDependencies, undefined);
  assert.equal(manifest.dependencies, undefined);
});

test('Node imports it, and nothing happens', () => {
  const script = `
    const before = Object.getOwnPropertyNames(globalThis).length;
    const { TillgateCheckout, define } = await import('@tillgate/checkout');
    const entry = await import('@tillgate/checkout/define');
    for (const name of ['react', 'vue', 'svelte']) await import('@tillgate/checkout/' + name);
    console.log(JSON.stringify({
      new: Object.getOwnPropertyNames(globalThis).length - before,
      same: entry.TillgateCheckout === TillgateCheckout && define() === TillgateCheckout,
      observed: TillgateCheckout.observedAttributes,
    }));`;
  const told = JSON.parse(run('node', ['--input-type=module', '--eval', script], PROJECT));
  assert.deepEqual(told, { new: 0, same: true, observed: [...element().attributes.map(({ name }) => name)].sort() });
});

test('the custom elements manifest is that of the element', async () => {
  const { TillgateCheckout } = await import(join(INSTALLED, 'element.js'));
  const own = Object.entries(Object.getOwnPropertyDescriptors(TillgateCheckout.prototype)).filter(([name]) => !/^constructor$|Callback$/.test(name));
  const { members, events, cssProperties } = element();
  const names = (kind) => members.filter((member) => member.kind === kind).map(({ name }) => name).sort();
  assert.deepEqual(names('field'), own.filter(([, { get }]) => get).map(([name]) => name).sort());
  assert.deepEqual(names('method'), own.filter(([, { value }]) => typeof value === 'function').map(([name]) => name).sort());
  for (const { name, readonly } of members.filter(({ kind }) => kind === 'field')) {
    assert.equal(own.find(([own]) => own === name)[1].set === undefined, readonly === true, name);
  }
  const types = readFileSync(join(INSTALLED, 'element.d.ts'), 'utf8');
  const typed = [...types.matchAll(/^ {2}'(tillgate-\w+)': CustomEvent/gm)].map(([, name]) => name);
  assert.deepEqual(events.map(({ name }) => name), typed);
  const styles = readFileSync(join(ROOT, 'style/tokens.css'), 'utf8');
  const tokens = new Set([...styles.matchAll(/(--tillgate-[\w-]+):/g)].map(([, name]) => name));
  assert.deepEqual(cssProperties.map(({ name }) => name).sort(), [...tokens].sort());
});

test('the documentation names every property, attribute, event, code, part and custom property', () => {
  const docs = ['embedding.md', 'events.md', 'theming.md'].map((file) => readFileSync(join(ROOT, 'docs', file), 'utf8')).join('');
  const { attributes, members, events, cssParts, cssProperties } = element();
  for (const { name } of [...attributes, ...members, ...events, ...cssParts, ...cssProperties]) {
    assert.match(docs, new RegExp(`\`${name}[\`(]`), name);
  }
  const types = readFileSync(join(INSTALLED, 'element.d.ts'), 'utf8');
  const codes = /type ErrorCode =([\s\S]*?);/.exec(types)[1].match(/(?<=')\w+(?=')/g);
  const pages = docs + readFileSync(join(ROOT, 'docs/signed-quotes.md'), 'utf8');
  for (const code of codes) assert.ok(pages.includes(`\`${code}\``), code);
});

test('the documented policy is that of the plain example', () => {
  const read = (file) => readFileSync(join(ROOT, file), 'utf8');
  const words = (policy) => policy.trim().split(/;?\s+/);
  const [, documented] = /(    default-src 'none'[\s\S]*?)\n\n/.exec(read('docs/csp.md'));
  const [, used] = /content="(default-src[^"]*)"/.exec(read('examples/plain/index.html'));
  assert.deepEqual(words(documented), words(used.replaceAll('http://127.0.0.1:3000', 'https://pay.example.com')));
});

test('every link in the documentation leads somewhere', () => {
  const pages = [...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`), 'examples/README.md', 'end2end/README.md'];
  for (const page of pages) {
    for (const [, link] of readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)\s]*)\)/g)) {
      const [file, anchor] = link.split('#');
      const target = file === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), file);
      assert.ok(existsSync(target), `${page}: ${link}`);
      if (anchor === undefined) continue;
      const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)];
      const anchors = headings.map(([, words]) => words.toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-'));
      assert.ok(anchors.includes(anchor), `${page}: ${link}`);
    }
  }
});

test('every example in the documentation compiles', () => {
  const folder = join(PROJECT, 'examples');
  mkdirSync(folder);
  const count = { html: 0 };
  const pages = [join(NPM, 'README.md'), ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => join(ROOT, 'docs', name))];
  for (const page of pages) {
    for (const [, kind, code] of readFileSync(page, 'utf8').matchAll(/```(ts|js|tsx|vue|svelte|html)\n([\s\S]*?)```/g)) {
      count[kind] = (count[kind] ?? 0) + 1;
      if (kind === 'html') checkMarkup(code);
      else writeFileSync(join(folder, `Example${count[kind]}.${kind}`), code);
    }
  }
  for (const kind of ['html', 'ts', 'js', 'tsx', 'vue', 'svelte']) assert.ok(count[kind] > 0, kind);
  cpSync(join(import.meta.dirname, 'types'), folder, { recursive: true });
  const testing = join(ROOT, 'examples/testing');
  for (const file of readdirSync(testing).filter((name) => name.endsWith('.ts'))) cpSync(join(testing, file), join(folder, file));
  const options = {
    target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx',
    strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true, moduleDetection: 'force', allowImportingTsExtensions: true,
    allowJs: true, checkJs: true, noEmit: true, types: ['node'],
  };
  // The types of frameworks are their own business; those of the package are checked.
  const tsconfig = { compilerOptions: { ...options, skipLibCheck: true }, include: ['examples'] };
  writeFileSync(join(PROJECT, 'tsconfig.json'), JSON.stringify(tsconfig));
  run(join(BIN, 'vue-tsc'), ['--noEmit', '-p', PROJECT], PROJECT);
  run(join(BIN, 'svelte-check'), ['--tsconfig', join(PROJECT, 'tsconfig.json'), '--workspace', PROJECT, '--fail-on-warnings', '--output', 'human'], PROJECT);
});

test('the types of the package hold by themselves', () => {
  const types = readdirSync(INSTALLED).filter((name) => name.endsWith('.d.ts')).map((name) => join(INSTALLED, name));
  const options = '--noEmit --strict --target es2022 --lib es2022,dom,dom.iterable --module esnext --moduleResolution bundler --types react'.split(' ');
  const told = run(join(BIN, 'tsc'), [...options, ...types], PROJECT, true);
  // Frameworks may have faults of their own; lines that name a file of ours are ours.
  assert.deepEqual(told.split('\n').filter((line) => line.includes('@tillgate')), []);
});

/** Markup uses attributes that there are. */
function checkMarkup(code) {
  const known = element().attributes.map(({ name }) => name);
  for (const [, attributes] of code.matchAll(/<tillgate-checkout([^>]*)>/g)) {
    for (const [, name] of attributes.matchAll(/([\w-]+)=/g)) assert.ok(known.includes(name), name);
  }
}

function element() {
  const { modules } = JSON.parse(readFileSync(join(NPM, 'custom-elements.json'), 'utf8'));
  return modules.flatMap(({ declarations }) => declarations).find(({ customElement }) => customElement);
}

/** Runs a program, and fails with what it said. */
function run(program, args, cwd, mayFail = false) {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (mayFail) return error.stdout;
    throw new Error(`${program}: ${error.stdout}${error.stderr}`);
  }
}
