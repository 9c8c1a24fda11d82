// What the types refuse. A line without an error after @ts-expect-error fails the compiler.
import type {} from '@tillgate/checkout/react';
import { TillgateCheckout, define } from '@tillgate/checkout';

const element = document.createElement('tillgate-checkout');
element satisfies TillgateCheckout;
element.lines = 'mug:1';
const first: string | undefined = element.lines[0]?.sku;
element.addLine(first ?? 'mug', 2);
define() satisfies CustomElementConstructor;

// @ts-expect-error: a line has a quantity
element.lines = [{ sku: 'mug' }];
// @ts-expect-error: nothing can be set
element.hostedUrl = 'https://pay.example.com';
// @ts-expect-error: no such field
element.customer = { firstName: 'Ada' };
// @ts-expect-error: no such detail
element.addEventListener('tillgate-change', (event) => event.detail.price);
document.addEventListener('tillgate-redirect', (event) => event.detail.url.length);

export const right = <tillgate-checkout api="https://pay.example.com" lines={[{ sku: 'mug', quantity: 1 }]} customer={{ email: 'a@example.com' }} return-url="https://shop.example.com" ontillgate-error={(event) => event.detail.code} />;
// @ts-expect-error: no such property
export const wrong = <tillgate-checkout price={3} />;
// @ts-expect-error: the event is no number
export const deaf = <tillgate-checkout ontillgate-error={(event: number) => event} />;
