import type { HostPage } from './hosts.ts';

/** A page of a host, in which the package's own files define the element. */
export function hostPage(body: string, { head = '', headers = {}, script = '' } = {}): HostPage {
  return {
    headers,
    html: `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>A host</title>
    <link rel="icon" href="data:,">
    ${head}
    <script type="module" src="/tillgate-checkout.js"></script>
    ${script && `<script type="module">${script}</script>`}
  </head>
  <body>${body}</body>
</html>`,
  };
}

/** The element, with the link that stands in for it. */
export function element(api: string, attributes = 'lines="mug:2"'): string {
  return `<tillgate-checkout api="${api}" ${attributes}><a href="${api}/checkout?cart=mug:2">To the checkout</a></tillgate-checkout>`;
}
