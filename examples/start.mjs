// Starts an example and a shop behind it: node examples/start.mjs plain | react | vue | svelte | leptos
//
// The shop is the demonstration that `make build` builds, or the program in $TILLGATE_BIN. Ctrl-C ends both.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { prepare, run } from './prepare.mjs';
import { serve } from './serve.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const PORT = 5173;
const ORIGIN = `http://localhost:${PORT}`;
const NAMES = ['plain', 'react', 'vue', 'svelte', 'leptos'];

const name = process.argv[2];
if (!NAMES.includes(name)) stop(`node examples/start.mjs ${NAMES.join(' | ')}`);
const tillgate = process.env.TILLGATE_BIN ?? join(ROOT, 'target/debug/tillgate');
if (!existsSync(tillgate)) stop(`${tillgate} is not there: run  make build  first.`);

const folder = join(import.meta.dirname, name);
if (name === 'leptos') {
  // As scripts/site.sh does: with the tools that `make build` installed, and no others.
  const env = { ...process.env, PATH: `${join(ROOT, '.tools/bin')}:${process.env.PATH}`, TRUNK_OFFLINE: 'true', TRUNK_SKIP_VERSION_CHECK: 'true' };
  run('trunk', ['build'], folder, env);
} else if (name !== 'plain') {
  prepare();
}

const children = [spawn(tillgate, ['dev', '--storefront', ORIGIN], { cwd: ROOT, stdio: 'inherit' })];
if (name === 'plain' || name === 'leptos') {
  await serve(name === 'plain' ? folder : join(folder, 'dist'), { port: PORT });
} else {
  const vite = join(import.meta.dirname, 'node_modules/.bin/vite');
  const options = ['--host', 'localhost', '--port', String(PORT), '--strictPort'];
  children.push(spawn(vite, options, { cwd: folder, stdio: 'inherit' }));
}
console.log(`\nThe example: ${ORIGIN}\n`);

const end = () => children.forEach((child) => child.kill());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
await Promise.race(children.map((child) => new Promise((ended) => child.once('exit', ended))));
end();
process.exit();

function stop(message) {
  console.error(message);
  process.exit(2);
}
