import { type Locator, type Page, expect } from '@playwright/test';

/** What the order's pages say at the top. */
export const STATE = {
  paid: 'Thank you, your order is paid',
  awaiting: 'Thank you for your order',
  checking: 'We are checking your payment',
  notPaid: 'Your order is not paid yet',
  givenBack: 'Your payment was given back',
  ended: 'This order has ended',
  cancelled: 'You cancelled the payment',
  settled: 'You left the payment page',
  refunded: 'Your order was refunded',
} as const;

/** The result page and the cancel page of an order. */
export class OrderPage {
  readonly payAgain: Locator;
  readonly details: Locator;
  readonly bank: Locator;
  readonly toOrder: Locator;

  constructor(private readonly page: Page) {
    this.payAgain = page.getByRole('button', { name: /^Pay .* now$/ });
    this.details = page.getByRole('region', { name: 'Order details' });
    this.bank = page.getByRole('region', { name: 'Bank details for your transfer' });
    this.toOrder = page.getByRole('link', { name: 'See your order' });
  }

  /** How the order stands. */
  async says(state: keyof typeof STATE, timeout?: number): Promise<void> {
    const heading = this.page.getByRole('heading', { level: 1, name: STATE[state] });
    await expect(heading).toBeVisible(timeout === undefined ? {} : { timeout });
  }

  /** Looks again until the order stands like that, as somebody does who reloads. */
  async comesToSay(state: keyof typeof STATE): Promise<void> {
    await expect(async () => {
      await this.page.reload();
      await expect(this.page.getByRole('heading', { level: 1 })).toHaveText(STATE[state], { timeout: 100 });
    }).toPass({ intervals: [250, 500], timeout: 10_000 });
  }

  /** The number that people use. */
  async reference(): Promise<string> {
    const text = await this.details.textContent();
    const reference = /TG-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(text ?? '')?.[0];
    if (reference === undefined) {
      throw new Error('the page has no order number');
    }
    return reference;
  }

  /** The address of the result page; from the cancel page, of the same order. */
  resultPath(): string {
    const { pathname } = new URL(this.page.url());
    const token = /^\/checkout\/(?:result|cancelled)\/([\w-]+)$/.exec(pathname)?.[1];
    if (token === undefined) {
      throw new Error(`${pathname} is no page of an order`);
    }
    return `/checkout/result/${token}`;
  }
}
