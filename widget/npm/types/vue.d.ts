/** Templates of Vue 3: `import type {} from '@tillgate/checkout/vue'`. */
import type { HTMLAttributes, PublicProps } from 'vue';

import type { TillgateCheckoutAttributes } from './attributes.js';
import type { TillgateCheckoutEventMap } from './element.js';

type Handler<Name extends keyof TillgateCheckoutEventMap> = (event: TillgateCheckoutEventMap[Name]) => void;

/** `@tillgate-change` in a template is `onTillgateChange` to the type checker. */
interface Handlers {
  onTillgateChange?: Handler<'tillgate-change'>;
  onTillgateInvalid?: Handler<'tillgate-invalid'>;
  onTillgateRedirect?: Handler<'tillgate-redirect'>;
  onTillgateError?: Handler<'tillgate-error'>;
}

declare module 'vue' {
  interface GlobalComponents {
    'tillgate-checkout': new () => {
      $props: HTMLAttributes & PublicProps & TillgateCheckoutAttributes & Handlers;
    };
  }
}
