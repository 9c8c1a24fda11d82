import { type Locator, type Page, expect } from '@playwright/test';

import type { Tillgate } from './tillgate.ts';

/** Somebody who runs the shop, at the merchant's pages. */
export class Merchant {
  readonly signInButton: Locator;
  readonly problems: Locator;
  readonly list: Locator;
  readonly news: Locator;
  readonly refundForm: Locator;

  constructor(
    readonly page: Page,
    private readonly tillgate: Tillgate,
  ) {
    this.signInButton = page.getByRole('button', { name: 'Sign in' });
    this.problems = page.getByRole('alert');
    this.list = page.getByRole('table');
    this.news = page.getByRole('status');
    this.refundForm = page.getByRole('region', { name: 'Refund', exact: true });
  }

  /** Types an e-mail address and a password at the door, and goes in. */
  async types(email: string, password: string): Promise<void> {
    await this.page.getByLabel('Email address').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.signInButton.click();
  }

  /** Gets in at the door that is shown. */
  async getsIn(): Promise<void> {
    await this.types(this.tillgate.credentials.merchant, this.tillgate.credentials.password);
    await expect(this.page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  }

  /** From anywhere to the list of transactions. */
  async signsIn(): Promise<void> {
    await this.page.goto('/merchant');
    await this.getsIn();
    await expect(this.page.getByRole('heading', { level: 1, name: 'Transactions' })).toBeVisible();
  }

  /** Looks for something in the list. */
  async searches(text: string): Promise<void> {
    await this.page.getByLabel('Search').fill(text);
    await this.page.getByRole('button', { name: 'Show' }).click();
  }

  /** Finds an order in the list, and opens it. */
  async opens(reference: string): Promise<void> {
    await this.page.goto('/merchant/transactions');
    await this.searches(reference);
    await this.list.getByRole('link', { name: reference }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: reference })).toBeVisible();
  }

  /** Fills in the form of a refund, and goes on to its review. */
  async fillsInRefund(amount: string, reason: string): Promise<void> {
    await this.refundForm.getByLabel('Amount to refund').fill(amount);
    await this.refundForm.getByLabel('Reason').fill(reason);
    await this.refundForm.getByRole('button', { name: 'Review' }).click();
  }

  /** Refunds, and comes back to the order. */
  async refunds(amount: string, reason: string): Promise<void> {
    await this.fillsInRefund(amount, reason);
    await this.page.getByRole('button', { name: /^Refund .* now$/ }).click();
    await expect(this.news).toBeVisible();
  }
}
