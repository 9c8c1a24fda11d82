/** Importing this module defines `<tillgate-checkout>`. */
export * from './element.js';
