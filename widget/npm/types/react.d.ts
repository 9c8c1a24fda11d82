/** JSX of React 19: `import type {} from '@tillgate/checkout/react'`. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react';

import type { TillgateCheckoutAttributes, TillgateCheckoutHandlers } from './attributes.js';
import type { TillgateCheckout } from './element.js';

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'tillgate-checkout': DetailedHTMLProps<HTMLAttributes<TillgateCheckout>, TillgateCheckout> &
        TillgateCheckoutAttributes &
        TillgateCheckoutHandlers;
    }
  }
}
