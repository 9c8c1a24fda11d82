import { type Locator, type Page, expect } from '@playwright/test';

import { Checkout } from './checkout.ts';
import { Gate } from './gate.ts';
import { OrderPage } from './order-page.ts';
import { PaymentPage } from './payment-page.ts';
import type { Addresses } from './tillgate.ts';

/** The article that most tests buy, and what one of it costs by post. */
export const MUG = { sku: 'mug', name: 'Terracotta mug', total: '€23.80', minor: 2380 } as const;

/** Somebody who buys, in one page of a browser. */
export class Shopper {
  readonly checkout: Checkout;
  readonly gateway: PaymentPage;
  readonly order: OrderPage;
  readonly handover: Locator;

  constructor(
    readonly page: Page,
    readonly addresses: Addresses,
    readonly scripts: boolean,
  ) {
    this.checkout = new Checkout(page, scripts);
    this.gateway = new PaymentPage(page, addresses.sandbox, scripts);
    this.order = new OrderPage(page);
    this.handover = page.getByRole('button', { name: 'Continue to myPOS' });
  }

  /** The same shopper in another tab. */
  async inAnotherTab(): Promise<Shopper> {
    return new Shopper(await this.page.context().newPage(), this.addresses, this.scripts);
  }

  /** Puts articles into the cart without looking at the catalogue. */
  async hasInCart(sku: string = MUG.sku, quantity = 1): Promise<void> {
    const form = { sku, quantity: String(quantity) };
    const response = await this.page.context().request.post(`${this.addresses.shop}/cart/add`, { form });
    expect(response.ok()).toBe(true);
  }

  /** The cart, in the header of every page. */
  cart(name: string): Locator {
    return this.page.getByRole('banner').getByRole('link', { name, exact: true });
  }

  /** Goes to the checkout with a mug and types everything. */
  async fillsInCheckout(): Promise<void> {
    await this.hasInCart();
    await this.checkout.open();
    await this.checkout.fill();
  }

  /** Presses a button that pays, and goes on to the gateway's page. */
  async goesToPay(button: Locator = this.checkout.pay): Promise<void> {
    await button.click();
    await this.passesHandover();
    await this.gateway.isShown();
  }

  /** Double-clicks a button that pays, and goes on to the gateway's page. */
  async goesToPayByDoubleClick(button: Locator): Promise<void> {
    await button.dblclick();
    if (!this.scripts) {
      // The second click may meet the hand-over page already, and its button where the first one was.
      const { handover } = this;
      await expect(async () => {
        if (await handover.isVisible()) {
          await handover.click({ timeout: 1_000 });
        }
        await expect(this.gateway.heading).toBeVisible({ timeout: 2_000 });
      }).toPass();
    }
    await this.gateway.isShown();
  }

  /** With scripts the hand-over page goes on by itself. */
  async passesHandover(): Promise<void> {
    if (!this.scripts) {
      await this.handover.click();
    }
  }

  /**
   * Goes Back from the gateway's page and on to pay again. That is the checkout; the hand-over page instead
   * where the shopper has pressed its button, or where its script was slower than the page.
   */
  async goesBackAndPaysAgain(): Promise<void> {
    const { checkout, page } = this;
    const startAgain = page.getByRole('button', { name: 'Start the payment again' });
    await page.goBack();
    await expect(checkout.heading.or(startAgain).or(this.handover)).toBeVisible();
    if (await checkout.heading.isVisible()) {
      await checkout.isReady();
      await checkout.isFilled();
      await this.goesToPay();
    } else if (await startAgain.isVisible()) {
      await this.goesToPay(startAgain);
    } else {
      await this.handover.click();
      await this.gateway.isShown();
    }
  }

  /** Goes Back from the gateway's page to the checkout. */
  async goesBackToCheckout(): Promise<void> {
    const { checkout, page } = this;
    const link = page.getByRole('main').getByRole('link', { name: 'Back to checkout' });
    await page.goBack();
    await expect(checkout.heading.or(link)).toBeVisible();
    if (await link.isVisible()) {
      await link.click();
    }
    await checkout.isReady();
  }

  /** From nothing to the gateway's page. */
  async startsPayment(): Promise<void> {
    await this.fillsInCheckout();
    await this.goesToPay();
  }

  /** From nothing to an order that is paid. */
  async buys(): Promise<void> {
    await this.startsPayment();
    await this.gateway.paysAndReturns();
    await this.order.says('paid');
  }

  /** Stays on the hand-over page: the gateway answers its form with nothing, and opens the gate that is returned. */
  async isHeldAtHandover(): Promise<Gate> {
    const answered = new Gate();
    await this.page.route(`${this.addresses.sandbox}/vmp/checkout`, async (route) => {
      await route.fulfill({ status: 204 });
      answered.open();
    });
    return answered;
  }

  /** Sends a hand-over form on which the amount is another than the one that was signed. */
  async sendsAnotherAmount(): Promise<void> {
    const answered = await this.isHeldAtHandover();
    await this.fillsInCheckout();
    await this.checkout.pay.click();
    await this.handover.waitFor();
    if (this.scripts) {
      // The button may be seen before the page's own script has sent the form as it was signed.
      await answered.passed;
    }
    await this.page.unrouteAll();
    await this.page.locator('input[name="Amount"]').evaluate((input) => input.setAttribute('value', '0.01'));
    await this.handover.click();
    await this.gateway.says('Error Code 2');
  }

  /** The hidden fields of the form that a button belongs to. */
  async formOf(button: Locator): Promise<Record<string, string>> {
    return button.evaluate((element) => {
      const form = (element as HTMLButtonElement).form;
      return form === null
        ? {}
        : Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    });
  }
}
