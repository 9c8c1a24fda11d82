import { existsSync } from 'node:fs';

import { defineConfig } from '@playwright/test';

import { SANDBOX, SHOP, TILLGATE } from './fixtures';

// Built by `make build`, unless others are named.
const program = process.env['TILLGATE_BIN'] ?? '../../target/debug/tillgate';
const site = process.env['TILLGATE_SITE'] ?? '../../dist/site';
// The browser that is named, the system's, or else the one of `npx playwright install chromium`.
const executablePath = process.env['CHROMIUM'] ?? ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(existsSync);

const listen = `--listen ${new URL(TILLGATE).host} --sandbox-port ${new URL(SANDBOX).port}`;

export default defineConfig({
  // The sandbox's faults are for everybody, so one test comes after the other.
  workers: 1,
  use: { baseURL: SHOP, ...(executablePath ? { launchOptions: { executablePath } } : {}) },
  webServer: [
    { command: `${program} dev --site ${site} ${listen} --storefront ${SHOP} --log warn`, url: TILLGATE },
    { command: 'node shop.mjs', url: SHOP },
  ],
});
