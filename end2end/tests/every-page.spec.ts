/**
 * What holds on every page: accessible in light and dark, never wider than the screen, in two languages.
 * On the way it takes pictures for people to look at, into `artifacts/screenshots/{project}/`.
 */

import path from 'node:path';

import type { Response } from '@playwright/test';

import { violations } from '../support/axe.ts';
import { expect, test } from '../support/fixtures.ts';
import { SCENES } from '../support/scenes.ts';

/** The narrowest screen that has to do (WCAG 2.2, 1.4.10). */
const NARROW = { width: 320, height: 640 };

const PICTURES = path.resolve(import.meta.dirname, '../artifacts/screenshots');

for (const scene of SCENES) {
  test(`page: ${scene.name}`, async ({ page, shopper, merchant, sandbox, guard }, info) => {
    test.skip(scene.site === 'sandbox' && !shopper.scripts, 'its pages have no scripts');
    let answer: Response | undefined;
    page.on('response', (response) => {
      const isPage = response.request().isNavigationRequest() && response.headers()['content-type'] !== undefined;
      if (isPage && response.frame() === page.mainFrame()) {
        answer = response;
      }
    });
    await scene.open({ shopper, merchant, sandbox, guard });

    await test.step('pictures', async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const file = `${scene.name}-${colorScheme}.png`;
        await page.screenshot({ path: path.join(PICTURES, info.project.name, file), fullPage: true });
      }
    });

    await test.step('headers', async () => {
      const headers = answer?.headers() ?? {};
      expect.soft(headers['content-security-policy']).toContain("default-src 'none'");
      expect.soft(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect.soft(headers['content-security-policy']).not.toContain('unsafe-inline');
      expect.soft(headers['x-content-type-options']).toBe('nosniff');
      expect.soft(headers['cache-control']).toBe('no-store');
      if (scene.site === 'shop') {
        expect.soft(headers['x-frame-options']).toBe('DENY');
      }
      if (scene.secret) {
        expect.soft(headers['referrer-policy']).toBe('same-origin');
      }
      if (scene.name === 'hand-over') {
        expect.soft(headers['referrer-policy']).toBe('origin');
        expect.soft(headers['content-security-policy']).toContain(`form-action 'self' ${shopper.addresses.sandbox};`);
      }
    });

    await test.step('accessible', async () => {
      expect.soft(await violations(shopper)).toEqual([]);
    });

    await test.step('fits a narrow screen', async () => {
      const size = page.viewportSize();
      await page.setViewportSize(NARROW);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect.soft(width).toBeLessThanOrEqual(NARROW.width);
      await page.setViewportSize(size ?? NARROW);
    });

    const isFixed = scene.oneLanguage === 'always' || (scene.oneLanguage === 'noScripts' && !shopper.scripts);
    if (scene.site === 'shop' && !isFixed) {
      await test.step('in German', async () => {
        await page.getByRole('navigation', { name: 'Language' }).getByRole('link', { name: 'Deutsch' }).click();
        await expect(page.getByRole('navigation', { name: 'Sprache' })).toBeVisible();
        await expect(page.locator('html')).toHaveAttribute('lang', 'de');
        // The choice is kept.
        await page.goto('/');
        await expect(page.getByRole('heading', { level: 1 })).toHaveText('Guter Tee und das richtige Gefäß dazu');
      });
    }
  });
}
