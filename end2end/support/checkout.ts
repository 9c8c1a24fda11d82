import { type Locator, type Page, expect } from '@playwright/test';

/** What a shopper types. */
export const ADA = {
  'Email address': 'ada@example.com',
  'First name': 'Ada',
  'Last name': 'Lovelace',
  'Street and house number': 'Torstraße 1',
  Postcode: '10119',
  'Town or city': 'Berlin',
  'Phone number (optional)': '+49 30 123456',
} as const;

/** Where she lives. */
export const COUNTRY = { label: 'Germany', value: 'DE' } as const;

/** The checkout page, in English. */
export class Checkout {
  readonly heading: Locator;
  readonly problems: Locator;
  readonly pay: Locator;
  readonly country: Locator;
  readonly summary: Locator;
  readonly updateCart: Locator;
  readonly updateDelivery: Locator;

  constructor(
    private readonly page: Page,
    private readonly scripts: boolean,
  ) {
    this.heading = page.getByRole('heading', { level: 1, name: 'Checkout' });
    this.problems = page.getByRole('alert').filter({ hasText: 'There is a problem' });
    this.pay = page.getByRole('button', { name: /^(Pay|Order and pay) / });
    this.country = page.getByLabel('Country');
    this.summary = page.getByRole('complementary', { name: 'Order summary' });
    this.updateCart = page.getByRole('button', { name: 'Update cart' });
    this.updateDelivery = page.getByRole('button', { name: 'Update delivery' });
  }

  /** Opens the page. */
  async open(path = '/checkout'): Promise<void> {
    await this.page.goto(path);
    await this.isReady();
  }

  /** The page is there; with scripts, it has come alive. */
  async isReady(): Promise<void> {
    await expect(this.heading).toBeVisible();
    await expect(this.pay).toBeVisible();
    if (this.scripts) {
      await expect(this.updateCart).toBeHidden();
    }
  }

  field(label: keyof typeof ADA): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** Types everything. */
  async fill(): Promise<void> {
    for (const [label, value] of Object.entries(ADA)) {
      await this.field(label as keyof typeof ADA).fill(value);
    }
    await this.country.selectOption(COUNTRY.label);
  }

  /** Everything that was typed stands there. */
  async isFilled(): Promise<void> {
    for (const [label, value] of Object.entries(ADA)) {
      await expect(this.field(label as keyof typeof ADA)).toHaveValue(value);
    }
    await expect(this.country).toHaveValue(COUNTRY.value);
  }

  /** A delivery or a payment method. */
  option(name: string): Locator {
    return this.page.getByRole('radio', { name });
  }

  /** Chooses a delivery; without scripts the page has to be asked for the new total. */
  async choosesDelivery(name: string): Promise<void> {
    await this.option(name).check();
    if (!this.scripts) {
      await this.updateDelivery.click();
    }
  }

  /** How many of an article there are. */
  quantity(article: string): Locator {
    return this.page.getByRole('textbox', { name: `Quantity of ${article}` });
  }

  /** Types a quantity; without scripts the page has to be asked for the new total. */
  async typesQuantity(article: string, quantity: string): Promise<void> {
    await this.quantity(article).fill(quantity);
    if (!this.scripts) {
      await this.updateCart.click();
    }
  }

  /** What there is to pay. */
  async hasTotal(total: string): Promise<void> {
    await expect(this.summary.getByText('Total', { exact: true }).locator('xpath=..')).toContainText(total);
    await expect(this.pay).toHaveAccessibleName(new RegExp(total.replaceAll('.', '\\.')));
  }
}
