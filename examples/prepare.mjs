// What the examples need before they start: the package, packed, and the packages from npm. Each is made again
// only where something that it comes from is newer.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const EXAMPLES = import.meta.dirname;
const NPM = resolve(EXAMPLES, '../widget/npm');
const DIST = resolve(EXAMPLES, '../dist');

/** Packs the package, and installs it for the examples that are built with Vite. */
export function prepare() {
  const widget = ['release', 'site'].map((dist) => join(DIST, dist, 'widget')).filter(existsSync);
  const { version } = JSON.parse(readFileSync(join(NPM, 'package.json'), 'utf8'));
  const packed = join(NPM, `tillgate-checkout-${version}.tgz`);
  const sources = ['src', 'types', 'static', 'scripts', 'package.json', 'README.md', 'custom-elements.json'];
  if (changed([...sources.map((name) => join(NPM, name)), ...widget]) > changed([packed])) {
    install(NPM, ['package-lock.json']);
    run('node', ['scripts/build.mjs'], NPM);
    run('npm', ['pack', './package', '--silent'], NPM);
  }
  install(EXAMPLES, ['package-lock.json', packed]);
}

/** Installs what a lock file says, unless that is done. */
function install(folder, because) {
  const done = changed([join(folder, 'node_modules/.package-lock.json')]);
  if (changed(because.map((file) => resolve(folder, file))) > done) run('npm', ['ci', '--no-audit', '--no-fund'], folder);
}

/** When the newest of these files, or of those in these folders, was changed; 0 where there is none. */
function changed(paths) {
  const times = paths.filter(existsSync).flatMap((path) => {
    const entry = statSync(path);
    return entry.isDirectory() ? readdirSync(path).map((name) => statSync(join(path, name)).mtimeMs) : entry.mtimeMs;
  });
  return Math.max(0, ...times);
}

export function run(program, args, cwd, env = process.env) {
  execFileSync(program, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
}
