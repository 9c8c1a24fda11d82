import type { BrowserContext, ConsoleMessage } from '@playwright/test';

import type { Addresses } from './tillgate.ts';

/**
 * Watches every page of a test: a warning or an error in the console, an error of a script, or a request
 * that leaves for another origin than these fails the test.
 */
export class Guard {
  readonly #complaints: string[] = [];
  readonly #expected = new Map<RegExp, { seen: number; required: boolean }>();

  constructor(context: BrowserContext, addresses: Addresses, ...others: readonly string[]) {
    const origins = [...Object.values(addresses), ...others];
    context.on('console', (message) => this.#console(message));
    context.on('weberror', (error) => this.#say(`uncaught: ${error.error().message}`));
    context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && !origins.includes(origin)) {
        this.#say(`a request to ${origin}`);
      }
    });
  }

  /** Lets messages like this pass. */
  allow(pattern: RegExp): void {
    this.#expected.set(pattern, { seen: 0, required: false });
  }

  /** Lets messages like this pass, and demands that there is one. */
  expect(pattern: RegExp): void {
    this.#expected.set(pattern, { seen: 0, required: true });
  }

  /** A page or an answer with this HTTP status: Chromium writes them to the console. */
  expectStatus(status: number): void {
    this.expect(new RegExp(`the server responded with a status of ${status}\\b`));
  }

  /** What was seen and not expected, and what was expected and not seen. */
  complaints(): string[] {
    const missing = [...this.#expected].filter(([, { seen, required }]) => required && seen === 0);
    return [...this.#complaints, ...missing.map(([pattern]) => `never said: ${pattern}`)];
  }

  #console(message: ConsoleMessage): void {
    const type = message.type();
    if (type === 'warning' || type === 'error') {
      this.#say(`console ${type}: ${message.text()} (${message.location().url})`);
    }
  }

  #say(text: string): void {
    const expected = [...this.#expected].find(([pattern]) => pattern.test(text))?.[1];
    if (expected === undefined) {
      this.#complaints.push(text);
    } else {
      expected.seen += 1;
    }
  }
}
