/** Storefronts that embed the element. Apart from the main suite, because the package has to be packed for it. */

import { defineConfig } from '@playwright/test';

import main from './playwright.config.ts';

const projects = main.projects?.filter(({ use }) => use?.javaScriptEnabled !== false) ?? [];

export default defineConfig({
  ...main,
  testDir: 'hosts',
  outputDir: 'artifacts/hosts-results',
  globalSetup: './support/build-hosts.ts',
  projects: projects.map((project) => ({ ...project, ...(project.name === 'desktop' ? {} : { testMatch: 'pages.spec.ts' }) })),
});
