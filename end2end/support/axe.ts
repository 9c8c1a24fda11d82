import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import type { Shopper } from './shopper.ts';

/** What axe finds on the page in front of the shopper, in light and in dark, a line each. */
export async function violations(shopper: Shopper): Promise<string[]> {
  const page = shopper.scripts ? shopper.page : await copyWithScripts(shopper.page);
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    // Without motion: a colour that is still on its way has no contrast that means anything.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Without frames on the page the legacy mode finds the same, and needs no second page.
    const axe = new AxeBuilder({ page }).setLegacyMode();
    if (colorScheme === 'dark') {
      // Nothing but the colours is different there.
      axe.withRules('color-contrast');
    }
    const { violations } = await axe.analyze();
    for (const { id, help, nodes } of violations) {
      found.push(...nodes.map((node) => `${colorScheme}: ${id}: ${help} (${node.target.join(' ')})`));
    }
  }
  if (page !== shopper.page) {
    await page.context().close();
  }
  return found;
}

/** Axe is a script. Where none run it is shown the same document, without its scripts, in a context where they do. */
async function copyWithScripts(page: Page): Promise<Page> {
  const context = await page.context().browser()?.newContext({
    viewport: page.viewportSize(),
    javaScriptEnabled: true,
  });
  if (context === undefined) {
    throw new Error('the browser is gone');
  }
  const body = (await page.content()).replace(/<script\b[\s\S]*?<\/script>/g, '');
  const copy = await context.newPage();
  await copy.route(page.url().replace(/#.*/, ''), (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body }));
  await copy.goto(page.url());
  return copy;
}
