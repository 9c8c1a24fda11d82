// Signs a quote: QUOTE_SECRET=... node node.mjs KEY_ID < quote.json
//
// In your shop, take `sign` and call it where your page is made.

import { createHmac } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A quote, signed: what the element's `quote` takes. */
export function sign(quote, keyId, secret) {
  const payload = Buffer.from(JSON.stringify(quote)).toString('base64url');
  const signed = `v1.${keyId}.${payload}`;
  const signature = createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const quote = JSON.parse(readFileSync(0, 'utf8'));
  console.log(sign(quote, process.argv[2], process.env.QUOTE_SECRET));
}
