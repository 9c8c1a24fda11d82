// Puts the package together: build.mjs [BUILT]
//
// BUILT is the folder that Trunk wrote the widget into: dist/release/widget for what is published, as `make size`
// builds it. Left out, the newer one of that and dist/site/widget. What comes out is in package/: what `npm pack` packs and `npm publish` publishes.

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

import { build, transform } from 'esbuild';

import { notices } from './notices.mjs';

const NPM = resolve(import.meta.dirname, '..');
const ROOT = resolve(NPM, '../..');
const OUT = join(NPM, 'package');
const CDN = join(OUT, 'cdn');
const GLUE = 'tillgate-widget.js';
const WASM = 'tillgate-widget_bg.wasm';
const STYLES = ['tokens.css', 'checkout.css', 'widget.css'];

const built = process.argv[2] ?? newest(['release', 'site'].map((dist) => join(ROOT, 'dist', dist, 'widget')));
if (built === undefined) {
  throw new Error('the widget is not built: run  make build  in the root first, or  make size  for a small one');
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(CDN, { recursive: true });
for (const folder of ['src', 'types', 'static']) {
  for (const file of readdirSync(join(NPM, folder))) cpSync(join(NPM, folder, file), join(OUT, file));
}
for (const file of [GLUE, WASM]) cpSync(join(built, file), join(OUT, file));
for (const file of ['LICENSE-MIT', 'LICENSE-APACHE']) cpSync(join(ROOT, file), join(OUT, file));
writeFileSync(join(OUT, 'THIRD-PARTY.txt'), notices(ROOT));
for (const file of ['README.md', 'custom-elements.json']) cpSync(join(NPM, file), join(OUT, file));
writeFileSync(join(OUT, 'files.js'), await files(''));
const { private: _, scripts, devDependencies, ...manifest } = JSON.parse(readFileSync(join(NPM, 'package.json'), 'utf8'));
writeFileSync(join(OUT, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

// For script elements: one file and the WebAssembly beside it, which the file holds to its hash.
cpSync(join(OUT, WASM), join(CDN, WASM));
const integrity = { [WASM]: hash(join(CDN, WASM)) };
const inlined = await files(integrity[WASM]);
await build({
  entryPoints: [join(OUT, 'tillgate-checkout.js')],
  outfile: join(CDN, 'tillgate-checkout.js'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  banner: { js: `/* ${manifest.name} ${manifest.version}, ${manifest.license} */` },
  plugins: [{
    name: 'files',
    setup: (bundler) => bundler.onLoad({ filter: /[/\\]files\.js$/ }, () => ({ contents: inlined })),
  }],
  logLevel: 'warning',
  // They are there for browsers that load the modules one by one.
  logOverride: { 'ignored-bare-import': 'silent' },
});
integrity['tillgate-checkout.js'] = hash(join(CDN, 'tillgate-checkout.js'));
writeFileSync(join(CDN, 'integrity.json'), `${JSON.stringify({ version: manifest.version, integrity }, null, 2)}\n`);
for (const file of Object.keys(integrity)) {
  const bytes = readFileSync(join(CDN, file));
  console.log(`cdn/${file}: ${bytes.length} bytes, ${brotliCompressSync(bytes).length} by brotli`);
}

/** The module in the place of src/files.js: no server is home to a package, and the style sheets are within. */
async function files(integrity) {
  const styles = await Promise.all(STYLES.map(async (name) => {
    const css = readFileSync(join(built, name), 'utf8');
    return (await transform(css, { loader: 'css', minify: true })).code.trim();
  }));
  return `// Made by scripts/build.mjs.
export const home = '';
export const wasm = { url: new URL('./${WASM}', import.meta.url), integrity: '${integrity}' };
export const styles = async () => ${JSON.stringify(styles)};
`;
}

function newest(folders) {
  const age = (folder) => statSync(join(folder, WASM)).mtimeMs;
  return folders.filter((folder) => existsSync(join(folder, WASM))).sort((one, other) => age(other) - age(one))[0];
}

function hash(file) {
  return `sha384-${createHash('sha384').update(readFileSync(file)).digest('base64')}`;
}
