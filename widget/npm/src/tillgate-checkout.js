// Importing this module defines <tillgate-checkout>. It has no default export.
import { define } from './element.js';

export * from './element.js';

define();
