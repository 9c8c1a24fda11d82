/** Packs the package and builds the examples with it, once for all workers. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

export default function buildHosts(): void {
  if (!existsSync(path.join(ROOT, 'examples/leptos/dist/index.html'))) {
    throw new Error('the Leptos example is not built: run  trunk build  in examples/leptos');
  }
  execFileSync('node', [path.join(ROOT, 'examples/build.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
}
