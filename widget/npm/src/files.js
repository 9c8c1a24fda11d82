// Where the files beside this one are. In the npm package and in the CDN build, scripts/build.mjs puts another
// module in the place of this one.

import { get } from './get.js';

/** The server that the element came from, and so the default of `api`. */
export const home = new URL(import.meta.url).origin;

/** The WebAssembly, and the hash that it has to have, where one is known. */
export const wasm = { url: new URL('./tillgate-widget_bg.wasm', import.meta.url), integrity: '' };

/** The style sheets, as text. */
export async function styles() {
  const names = ['./tokens.css', './checkout.css', './widget.css'];
  return Promise.all(names.map(async (name) => (await get(new URL(name, import.meta.url))).text()));
}
