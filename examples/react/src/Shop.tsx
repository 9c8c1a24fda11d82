import { useState } from 'react';

import type { CartLine } from '@tillgate/checkout';
import '@tillgate/checkout/define';
import type {} from '@tillgate/checkout/react';

const TILLGATE = 'http://127.0.0.1:3000';

const TEAS = [
  { sku: 'sencha', name: 'Sencha', taste: 'Fresh, green, a little sweet' },
  { sku: 'darjeeling', name: 'Darjeeling', taste: 'Spring leaves, bright and floral' },
  { sku: 'earl-grey', name: 'Earl Grey', taste: 'With oil of bergamot' },
  { sku: 'mountain-herbs', name: 'Mountain herbs', taste: 'Lavender, balm and mint' },
];

export function Shop() {
  const [lines, setLines] = useState<CartLine[]>([{ sku: 'sencha', quantity: 1 }]);
  const [total, setTotal] = useState('');
  const isBack = location.hash === '#back';

  function toggle(sku: string) {
    const others = lines.filter((line) => line.sku !== sku);
    setLines(others.length < lines.length ? others : [...lines, { sku, quantity: 1 }]);
  }

  return (
    <>
      <header>
        <p className="name">Leaf by post</p>
        <p className="cart">{total}</p>
      </header>
      <main>
        {isBack && <p className="back">Welcome back. Your tea is on its way.</p>}
        <h1>Which leaves this month?</h1>
        <div className="teas">
          {TEAS.map(({ sku, name, taste }) => (
            <button key={sku} aria-pressed={lines.some((line) => line.sku === sku)} onClick={() => toggle(sku)}>
              <b>{name}</b>
              <span>{taste}</span>
            </button>
          ))}
        </div>
        <tillgate-checkout
          api={TILLGATE}
          lines={lines}
          return-url={new URL('#back', location.href).href}
          ontillgate-change={({ detail }) => {
            // The shopper can change the cart inside of the checkout, too.
            setLines(detail.lines);
            setTotal(detail.total.text);
          }}
        >
          <a href={`${TILLGATE}/checkout?cart=sencha:1`}>Go to checkout</a>
        </tillgate-checkout>
      </main>
    </>
  );
}
