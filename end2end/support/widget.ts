import { type Locator, type Page, expect } from '@playwright/test';

import { ADA, COUNTRY } from './checkout.ts';
import type { TillgateCheckout } from '../../widget/npm/types/element.js';
import type { Shopper } from './shopper.ts';

/** The element in a host's page. */
export class Widget {
  readonly element: Locator;
  readonly pay: Locator;
  readonly problems: Locator;
  readonly summary: Locator;
  readonly note: Locator;

  constructor(
    readonly page: Page,
    private readonly shopper: Shopper,
    selector = 'tillgate-checkout',
    frame?: string,
  ) {
    this.element = frame === undefined ? page.locator(selector) : page.frameLocator(frame).locator(selector);
    this.pay = this.element.getByRole('button', { name: /^(Pay|Order and pay) / });
    this.problems = this.element.getByRole('alert').filter({ hasText: 'There is a problem' });
    this.summary = this.element.getByRole('complementary', { name: 'Order summary' });
    this.note = this.element.locator('[part=note]');
  }

  /** The checkout is there, with prices. */
  async isReady(): Promise<void> {
    await expect(this.pay).toBeVisible();
  }

  field(label: keyof typeof ADA): Locator {
    return this.element.getByLabel(label, { exact: true });
  }

  option(name: string): Locator {
    return this.element.getByRole('radio', { name });
  }

  quantity(article: string): Locator {
    return this.element.getByRole('textbox', { name: `Quantity of ${article}` });
  }

  async hasTotal(total: string): Promise<void> {
    await expect(this.pay).toHaveAccessibleName(new RegExp(total.replaceAll('.', '\\.')));
  }

  /** Types everything. */
  async fill(): Promise<void> {
    for (const [label, value] of Object.entries(ADA)) {
      await this.field(label as keyof typeof ADA).fill(value);
    }
    await this.element.getByLabel('Country').selectOption(COUNTRY.label);
  }

  /** From an element that is ready to an order that is paid. */
  async buys(): Promise<void> {
    await this.isReady();
    await this.fill();
    await this.pay.click();
    await this.shopper.gateway.isShown();
    await this.shopper.gateway.paysAndReturns();
    await this.shopper.order.says('paid');
  }

  /** Does something with the element, in the page. */
  async does<T>(what: (checkout: TillgateCheckout) => T): Promise<Awaited<T>> {
    return (await this.element.evaluate(what as unknown as (element: Element) => T)) as Awaited<T>;
  }

  /** Notes the events of the page from now on; they are there after it was loaded, too. */
  async listens(): Promise<void> {
    await this.page.addInitScript((names) => {
      const heard: [string, unknown][] = [];
      Object.assign(globalThis, { heard });
      for (const name of names) {
        document.addEventListener(name, (event) => heard.push([name, (event as CustomEvent).detail]));
      }
    }, ['tillgate-change', 'tillgate-invalid', 'tillgate-redirect', 'tillgate-error']);
  }

  /** What was heard of one event, the oldest first. */
  async heard<T = Record<string, unknown>>(name: string): Promise<T[]> {
    return this.page.evaluate((wanted) => {
      const all = (globalThis as unknown as { heard: [string, unknown][] }).heard;
      return all.filter(([name]) => name === wanted).map(([, detail]) => detail);
    }, name) as Promise<T[]>;
  }
}
