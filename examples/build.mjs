// Builds every example that is built with Vite: node examples/build.mjs

import { join } from 'node:path';

import { prepare, run } from './prepare.mjs';

prepare();
for (const name of ['react', 'vue', 'svelte']) run('npm', ['run', '--silent', 'build'], join(import.meta.dirname, name));
