/** An article and how many of it: a SKU of 1 to 64 letters, digits, `-`, `_`, `.`; a quantity of 1 to 999. */
export interface CartLine {
  sku: string;
  quantity: number;
}

/** What is known of the shopper. */
export interface Customer {
  email?: string;
  first_name?: string;
  family_name?: string;
  phone?: string;
  street?: string;
  postcode?: string;
  city?: string;
  /** ISO 3166-1 alpha-2, such as `DE`. */
  country?: string;
}

/** An amount in minor units (cents), and as the shopper reads it. */
export interface Amount {
  minor: number;
  text: string;
}

/** The cart and its prices, as they are shown now. */
export interface ChangeDetail {
  /** As the property `lines` reads: a signed quote takes their place, and leaves them as they are. */
  lines: CartLine[];
  /** How many pieces the cart or the quote has. */
  pieces: number;
  total: Amount;
  /** ISO 4217. */
  currency: string;
  /** Whether a signed quote fixes the lines. */
  fixed: boolean;
}

/** What was wrong at a press of Pay. */
export interface InvalidDetail {
  fields: {
    /** A name of {@link Customer}, or `method` or `delivery`. */
    field: string;
    /** For programs. */
    problem: string;
    /** What the shopper reads. */
    message: string;
  }[];
}

/** The shopper is about to leave. */
export interface RedirectDetail {
  /** The hand-over page. Whoever cancels the event opens it in the top window, within 60 seconds. */
  url: string;
}

/** What `tillgate-error` can say; docs/events.md explains each. */
export type ErrorCode =
  // The element itself:
  | 'api' | 'csp' | 'frame' | 'lines' | 'load' | 'origin' | 'outdated' | 'unreachable' | 'wasm'
  // Refusals of the server:
  | 'bad_reference' | 'bad_return_url' | 'busy' | 'empty_cart' | 'key_reused' | 'malformed' | 'not_found'
  | 'origin_not_listed' | 'price_changed' | 'rate_limited' | 'transport' | 'unavailable'
  | 'quote_bad_line' | 'quote_currency' | 'quote_expired' | 'quote_forged' | 'quote_too_large' | 'quote_total'
  | 'quote_unknown_key' | 'quote_unreadable' | 'quote_used';

export interface ErrorDetail {
  /** One of {@link ErrorCode}; later servers may know more. */
  code: ErrorCode | (string & {});
  message: string;
}

/** The events of the element, by name. They bubble, and cross shadow roots. */
export interface TillgateCheckoutEventMap {
  /** New prices are shown: after the start, and after every change of the cart or of the delivery. */
  'tillgate-change': CustomEvent<ChangeDetail>;
  /** Pay was pressed, and something is missing or wrong. */
  'tillgate-invalid': CustomEvent<InvalidDetail>;
  /** The order is placed and the shopper is about to leave. Can be cancelled. */
  'tillgate-redirect': CustomEvent<RedirectDetail>;
  /** Something failed. */
  'tillgate-error': CustomEvent<ErrorDetail>;
}

/** The element's own properties. */
export interface TillgateCheckoutProperties {
  /** The address of the Tillgate server. */
  api: string;
  /** What is bought. A list, or text such as `mug:2,tea:1`; reads as a list. */
  get lines(): CartLine[];
  set lines(value: readonly CartLine[] | string | null | undefined);
  /** Fills fields; what was typed stays. */
  get customer(): Customer;
  set customer(value: Customer | null | undefined);
  /** A quote that your backend signed, in place of `lines`. Attribute `quote`. */
  quote: string;
  /** Your own number for this order, at most 64 characters. */
  reference: string;
  /** Where the result page leads home. Attribute `return-url`. */
  returnUrl: string;
  /** A name for the cart, where one page has several. */
  cart: string;
}

/** The checkout of a Tillgate server: `<tillgate-checkout>`. */
export class TillgateCheckout extends HTMLElement implements TillgateCheckoutProperties {
  static readonly observedAttributes: readonly string[];

  api: string;
  get lines(): CartLine[];
  set lines(value: readonly CartLine[] | string | null | undefined);
  get customer(): Customer;
  set customer(value: Customer | null | undefined);
  quote: string;
  reference: string;
  returnUrl: string;
  cart: string;
  /** The address of the hosted checkout page, with this cart. */
  readonly hostedUrl: string;

  /** Puts more of an article into the cart; one where no quantity is given. Throws a TypeError for no SKU or no quantity. */
  addLine(sku: string, quantity?: number): void;
  /** Sets how many of an article there are; 0 removes it. Throws as `addLine` does. */
  setLine(sku: string, quantity: number): void;
  /** Removes an article. */
  removeLine(sku: string): void;
  /** Empties the cart. */
  clearLines(): void;
}

/**
 * Defines the element under a name, unless something is defined under it already, and answers what is.
 * Does nothing on a server, where there are no elements.
 */
export function define(tag?: string): CustomElementConstructor;

declare global {
  interface HTMLElementTagNameMap {
    'tillgate-checkout': TillgateCheckout;
  }
  interface HTMLElementEventMap extends TillgateCheckoutEventMap {}
  interface DocumentEventMap extends TillgateCheckoutEventMap {}
  interface WindowEventMap extends TillgateCheckoutEventMap {}
}
