// Importing this module defines <tillgate-checkout>. It has no default export.

// What element.js imports, so that a browser fetches all of it at once.
import './cart.js';
import './failure.js';
import './files.js';
import './get.js';
import './words.js';
import { define } from './element.js';

export * from './element.js';

define();
