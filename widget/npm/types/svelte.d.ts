/** Markup of Svelte 5: `import type {} from '@tillgate/checkout/svelte'`. */
import type { HTMLAttributes } from 'svelte/elements';

import type { TillgateCheckoutAttributes, TillgateCheckoutHandlers } from './attributes.js';
import type { TillgateCheckout } from './element.js';

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'tillgate-checkout': HTMLAttributes<TillgateCheckout> & TillgateCheckoutAttributes & TillgateCheckoutHandlers;
  }
}
