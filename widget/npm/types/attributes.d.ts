import type { CartLine, Customer, TillgateCheckoutEventMap } from './element.js';

/** What markup can set on the element: attributes, and properties where a framework sets those. */
export interface TillgateCheckoutAttributes {
  api?: string | undefined;
  lines?: readonly CartLine[] | string | undefined;
  customer?: Customer | undefined;
  quote?: string | undefined;
  reference?: string | undefined;
  'return-url'?: string | undefined;
  cart?: string | undefined;
}

/** Handlers as `ontillgate-change`, which React 19 and Svelte 5 take. */
export type TillgateCheckoutHandlers = {
  [Name in keyof TillgateCheckoutEventMap as `on${Name}`]?: ((event: TillgateCheckoutEventMap[Name]) => void) | undefined;
};
