// The notices of what the widget's WebAssembly is made of: crates under licences that want to be handed on.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CRATE = 'tillgate-widget';
const TARGET = 'wasm32-unknown-unknown';
/** Of a choice of licences, the one whose notice is handed on: the first of these that there is. */
const PREFERRED = ['mit', 'zlib', 'unicode', 'bsd', 'apache', 'unlicense', ''];

/** All notices as one text, each with the crates that it belongs to. */
export function notices(root) {
  const cargo = (...args) => execFileSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] });
  const tree = cargo('tree', '--locked', '--package', CRATE, '--target', TARGET, '--edges', 'normal,no-proc-macro', '--prefix', 'none', '--no-dedupe', '--format', '{p}');
  const wanted = new Set(tree.split('\n').map((line) => line.split(' ').slice(0, 2).join(' ')).filter(Boolean));
  const { packages } = JSON.parse(cargo('metadata', '--locked', '--format-version', '1', '--filter-platform', TARGET));
  const owners = new Map();
  for (const crate of packages) {
    const name = `${crate.name} v${crate.version}`;
    // Without a source it is our own.
    if (!wanted.has(name) || crate.source === null) continue;
    const text = notice(dirname(crate.manifest_path)) ?? `Licence: ${crate.license}\nAuthors: ${crate.authors.join(', ') || `the authors of ${crate.name}`}`;
    owners.set(text, [...(owners.get(text) ?? []), `${crate.name} ${crate.version} (${crate.license})`]);
  }
  const parts = [...owners].map(([text, crates]) => `${crates.sort().join('\n')}\n\n${text}`);
  return `The WebAssembly of this package contains code of the crates below.\n\n${parts.sort().join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function notice(folder) {
  const names = readdirSync(folder).filter((name) => /^(licen[sc]e|copying|unlicense)/i.test(name) && !name.endsWith('.rs'));
  const name = PREFERRED.flatMap((part) => names.filter((one) => one.toLowerCase().includes(part)))[0];
  const file = name === undefined ? undefined : join(folder, name);
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim() : undefined;
}
