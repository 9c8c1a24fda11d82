import { type Locator, type Page, expect } from '@playwright/test';

/** The gateway's pages, as the sandbox shows them. */
export class PaymentPage {
  readonly heading: Locator;
  readonly pay: Locator;
  readonly cancel: Locator;
  readonly goBack: Locator;
  readonly declined: Locator;

  constructor(
    private readonly page: Page,
    private readonly origin: string,
    private readonly scripts: boolean,
  ) {
    this.heading = page.getByRole('heading', { level: 1, name: /^Pay / });
    this.pay = page.getByRole('button', { name: /^Pay / });
    this.cancel = page.getByRole('button', { name: /^Cancel and return to / });
    this.goBack = page.getByRole('button', { name: /^Return to / });
    this.declined = page.getByRole('alert').filter({ hasText: 'The payment was declined.' });
  }

  /** The shopper is there. */
  async isShown(): Promise<void> {
    await expect(this.heading).toBeVisible();
    expect(new URL(this.page.url()).origin).toBe(this.origin);
  }

  /** Something else than the payment is shown there. */
  async says(heading: string): Promise<void> {
    await expect(this.page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
    expect(new URL(this.page.url()).origin).toBe(this.origin);
  }

  /** Pays with what is chosen. */
  async confirms(): Promise<void> {
    await this.pay.click();
  }

  /** Pays, is told that it went well, and goes back to the shop. */
  async paysAndReturns(): Promise<void> {
    await this.confirms();
    await this.says('Payment successful');
    await this.goBack.click();
  }

  /** Pays, is told that the money goes back, and goes back to the shop. */
  async paysAndIsGivenBack(): Promise<void> {
    await this.confirms();
    await this.says('The payment was given back');
    await this.goBack.click();
  }

  /** Tries a card that is declined. */
  async isDeclined(): Promise<void> {
    await this.page.getByRole('radio', { name: 'Test card that is declined' }).check();
    await this.confirms();
    await expect(this.declined).toBeVisible();
  }

  /** Cancels, and goes back to the shop. */
  async cancels(): Promise<void> {
    await this.cancel.click();
    // With scripts the page goes on by itself.
    if (!this.scripts) {
      await this.says('Payment cancelled');
      await this.goBack.click();
    }
  }
}
