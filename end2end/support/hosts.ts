/** Pages of other shops, with the element in them. */

import { readFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { test as base, expect } from '@playwright/test';

import { Guard } from './guard.ts';
import { type Sandbox, withSandbox } from './sandbox.ts';
import { Shopper } from './shopper.ts';
import { type Addresses, Tillgate } from './tillgate.ts';
import { Widget } from './widget.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const EXAMPLES = path.join(ROOT, 'examples');
/** Where the examples expect their shop; each worker has one of its own. */
const EXAMPLE_SHOP = 'http://127.0.0.1:3000';

/** The examples, and the folder that is served of each. */
export const EXAMPLE = {
  plain: path.join(EXAMPLES, 'plain'),
  react: path.join(EXAMPLES, 'react/dist'),
  vue: path.join(EXAMPLES, 'vue/dist'),
  svelte: path.join(EXAMPLES, 'svelte/dist'),
  leptos: path.join(EXAMPLES, 'leptos/dist'),
} as const;
export type Example = keyof typeof EXAMPLE;

/** The package, as it is unpacked by whoever installs it. */
const PACKAGE = path.join(ROOT, 'widget/npm/package');

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** A page of a host: its HTML, and its headers. */
export interface HostPage {
  readonly html: string;
  readonly headers?: Record<string, string>;
}

/** An origin that serves pages which tests make, and files of a folder. */
class Host {
  readonly #server: Server;
  readonly #pages = new Map<string, HostPage>();
  /** What stands for the examples' shop. */
  shop = EXAMPLE_SHOP;

  private constructor(private readonly folder: string) {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(folder: string): Promise<Host> {
    const host = new Host(folder);
    await new Promise<void>((listening) => host.#server.listen(0, 'localhost', listening));
    return host;
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Puts a page at a path of its own, and answers its address. */
  shows(page: HostPage): string {
    const at = `/page-${this.#pages.size}`;
    this.#pages.set(at, page);
    return this.origin + at;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer({ url = '/' }: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(url, this.origin);
    const page = this.#pages.get(pathname);
    if (page !== undefined) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers }).end(page.html);
      return;
    }
    const file = path.join(this.folder, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const type = TYPES[path.extname(file)];
    if (type === undefined) {
      response.writeHead(404).end();
      return;
    }
    try {
      const bytes = readFileSync(file);
      const isText = /^text\//.test(type);
      const headers = { 'content-type': type, 'access-control-allow-origin': '*' };
      response.writeHead(200, headers).end(isText ? bytes.toString().replaceAll(EXAMPLE_SHOP, this.shop) : bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}

/** The hosts of a worker. */
export interface Hosts {
  readonly examples: Record<Example, string>;
  /** An origin that the shop lets in, with the package's files. */
  readonly listed: Host;
  /** One that it does not. */
  readonly unlisted: Host;
}

interface OfTest {
  guard: Guard;
  sandbox: Sandbox;
  shopper: Shopper;
  widget: Widget;
}

interface OfWorker {
  world: { addresses: Addresses; hosts: Hosts; origins: readonly string[] };
  addresses: Addresses;
  hosts: Hosts;
}

export const test = base.extend<OfTest, OfWorker>({
  world: [
    async ({}, use, info) => {
      const examples = Object.entries(EXAMPLE);
      const all = await Promise.all([...examples.map(([, folder]) => Host.start(folder)), Host.start(PACKAGE), Host.start(PACKAGE)]);
      const origins = all.map(({ origin }) => origin);
      const [listed, unlisted] = all.slice(examples.length) as [Host, Host];
      const storefronts = origins.filter((origin) => origin !== unlisted.origin).flatMap((origin) => ['--storefront', origin]);
      const tillgate = await Tillgate.start(`hosts-${info.workerIndex}`, ...storefronts);
      for (const host of all) host.shop = tillgate.addresses.shop;
      const named = Object.fromEntries(examples.map(([name], index) => [name, origins[index]])) as Record<Example, string>;
      await use({ addresses: tillgate.addresses, hosts: { examples: named, listed, unlisted }, origins });
      await tillgate.stop();
      for (const host of all) host.stop();
    },
    { scope: 'worker' },
  ],

  addresses: [async ({ world }, use) => use(world.addresses), { scope: 'worker' }],
  hosts: [async ({ world }, use) => use(world.hosts), { scope: 'worker' }],

  guard: [
    async ({ context, world }, use) => {
      const guard = new Guard(context, world.addresses, ...world.origins);
      await use(guard);
      expect(guard.complaints()).toEqual([]);
    },
    { auto: true },
  ],

  sandbox: [
    async ({ playwright, addresses }, use) => withSandbox(playwright, addresses.sandbox, use),
    { auto: true },
  ],

  shopper: async ({ page, addresses }, use) => use(new Shopper(page, addresses, true)),
  widget: async ({ page, shopper }, use) => use(new Widget(page, shopper)),
});

export { expect };
