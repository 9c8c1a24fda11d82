/** What a browser without scripts is spared. */

import { expect, test } from '../support/fixtures.ts';

test('nothing is loaded that cannot run', async ({ page, shopper }) => {
  test.skip(shopper.scripts, 'scripts run');
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await shopper.hasInCart();
  await shopper.checkout.open();
  await page.waitForLoadState('networkidle');
  expect(loaded.filter((path) => path.endsWith('.wasm'))).toEqual([]);
});
