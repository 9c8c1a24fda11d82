/** Packs the package and builds the examples with it, once for all workers. */

import { execFileSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

export default function buildHosts(): void {
  execFileSync('node', [path.join(ROOT, 'examples/build.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
}
