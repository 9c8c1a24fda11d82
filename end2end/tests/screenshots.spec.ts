/** Pictures of every page, for people to look at: `artifacts/screenshots/{project}/`. */

import path from 'node:path';

import { test } from '../support/fixtures.ts';
import { SCENES } from '../support/scenes.ts';

const FOLDER = path.resolve(import.meta.dirname, '../artifacts/screenshots');

for (const scene of SCENES) {
  test(`picture: ${scene.name}`, async ({ page, shopper, sandbox, guard }, info) => {
    test.skip(!shopper.scripts, 'without scripts they look the same');
    await scene.open({ shopper, sandbox, guard });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const file = path.join(FOLDER, info.project.name, `${scene.name}-${colorScheme}.png`);
      await page.screenshot({ path: file, fullPage: true, animations: 'disabled' });
    }
  });
}
