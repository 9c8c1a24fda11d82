import { existsSync } from 'node:fs';

import { defineConfig, devices } from '@playwright/test';

/** The browser: the one that is named, the machine's own, or else the one that Playwright brings. */
const DEBIAN_CHROMIUM = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const chromium = process.env['CHROMIUM'] ?? DEBIAN_CHROMIUM.find((path) => existsSync(path));

/** Chromium's own sandbox does not start for root, as in most containers. */
const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** Specs that look at what WebAssembly does. */
const NEEDS_SCRIPTS = /\.wasm\.spec\.ts$/;

const desktop = { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 } };
const phone = devices['Pixel 7'];

export default defineConfig({
  testDir: 'tests',
  outputDir: 'artifacts/results',
  // A shop of its own for each worker; tests in different workers never meet.
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  timeout: 40_000,
  expect: { timeout: 8_000 },
  reporter: [['list'], ['./support/closing-line.ts']],
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    actionTimeout: 8_000,
    navigationTimeout: 15_000,
    screenshot: 'only-on-failure',
    // Neither a film nor a copy of the page at each step: the film takes a third of the time, the copies an eighth. How the
    // page looked in the end is in the picture.
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: false },
    launchOptions: {
      ...(chromium === undefined ? {} : { executablePath: chromium }),
      args: [
        ...asRoot,
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'desktop', use: desktop },
    { name: 'desktop-nojs', use: { ...desktop, javaScriptEnabled: false }, testIgnore: NEEDS_SCRIPTS },
    { name: 'phone', use: phone },
    { name: 'phone-nojs', use: { ...phone, javaScriptEnabled: false }, testIgnore: NEEDS_SCRIPTS },
  ],
});
