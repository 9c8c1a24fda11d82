/** Every page there is, and how to come to it. */

import type { Guard } from './guard.ts';
import type { Merchant } from './merchant.ts';
import type { Sandbox } from './sandbox.ts';
import type { Shopper } from './shopper.ts';

interface Tools {
  shopper: Shopper;
  merchant: Merchant;
  sandbox: Sandbox;
  guard: Guard;
}

/** A page in one state. */
export interface Scene {
  readonly name: string;
  readonly site: 'shop' | 'sandbox';
  /** Why the page has no links to other languages, if it has none; `noScripts` where only without scripts. */
  readonly oneLanguage?: 'always' | 'noScripts';
  /** Whether its address is a secret. */
  readonly secret?: true;
  open(tools: Tools): Promise<void>;
}

const MINUTE = 60;

async function cancelled({ shopper }: Tools): Promise<void> {
  await shopper.startsPayment();
  await shopper.gateway.cancels();
  await shopper.order.says('cancelled');
}

async function rolledBack({ shopper, sandbox }: Tools): Promise<void> {
  await shopper.buys();
  await sandbox.rollBack((await sandbox.onlyPayment()).order_id);
}

async function refused({ shopper, guard }: Tools, path: string, status: number, heading: string): Promise<void> {
  guard.expectStatus(status);
  await shopper.page.goto(path);
  await shopper.page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

const SHOP: readonly Scene[] = [
  {
    name: 'catalogue',
    site: 'shop',
    async open({ shopper }) {
      await shopper.hasInCart();
      await shopper.page.goto('/');
    },
  },
  {
    name: 'checkout-empty',
    site: 'shop',
    async open({ shopper }) {
      await shopper.page.goto('/checkout');
    },
  },
  {
    name: 'checkout',
    site: 'shop',
    async open({ shopper }) {
      await shopper.hasInCart('sencha', 2);
      await shopper.fillsInCheckout();
    },
  },
  {
    name: 'checkout-with-errors',
    site: 'shop',
    // A page that answers a form has no address to link to.
    oneLanguage: 'noScripts',
    async open({ shopper, guard }) {
      if (!shopper.scripts) {
        guard.expectStatus(422);
      }
      await shopper.hasInCart();
      await shopper.checkout.open();
      await shopper.checkout.pay.click();
      await shopper.checkout.problems.waitFor();
    },
  },
  {
    name: 'hand-over',
    site: 'shop',
    // Its form is shown once: a link to another language would use it up.
    oneLanguage: 'always',
    async open({ shopper }) {
      await shopper.isHeldAtHandover();
      await shopper.fillsInCheckout();
      await shopper.checkout.pay.click();
      await shopper.handover.waitFor();
    },
  },
  {
    name: 'hand-over-used',
    site: 'shop',
    secret: true,
    async open({ shopper, sandbox }) {
      const handover = shopper.page.waitForRequest('**/checkout/go/*');
      await shopper.startsPayment();
      await sandbox.advanceClock(10);
      await shopper.page.goto((await handover).url());
      await shopper.page.getByRole('button', { name: 'Start the payment again' }).waitFor();
    },
  },
  {
    name: 'result-paid',
    site: 'shop',
    secret: true,
    async open({ shopper }) {
      await shopper.buys();
    },
  },
  {
    name: 'result-awaiting',
    site: 'shop',
    secret: true,
    async open({ shopper }) {
      await shopper.fillsInCheckout();
      await shopper.checkout.option('Bank transfer').check();
      await shopper.checkout.pay.click();
      await shopper.order.says('awaiting');
    },
  },
  {
    name: 'result-checking',
    site: 'shop',
    secret: true,
    async open({ shopper, sandbox }) {
      await sandbox.faults({ notify_lost: true, keep_without_ok: true });
      await shopper.startsPayment();
      await shopper.gateway.paysAndReturns();
      await shopper.order.says('checking');
    },
  },
  {
    name: 'result-not-paid',
    site: 'shop',
    secret: true,
    async open(tools) {
      await cancelled(tools);
      await tools.shopper.page.goto(tools.shopper.order.resultPath());
      await tools.shopper.order.says('notPaid');
    },
  },
  {
    name: 'result-given-back',
    site: 'shop',
    secret: true,
    async open(tools) {
      await rolledBack(tools);
      await tools.shopper.order.comesToSay('givenBack');
    },
  },
  {
    name: 'result-ended',
    site: 'shop',
    secret: true,
    async open(tools) {
      await cancelled(tools);
      await tools.shopper.page.goto(tools.shopper.order.resultPath());
      await tools.sandbox.advanceClock(25 * 60 * MINUTE);
      await tools.shopper.order.comesToSay('ended');
    },
  },
  { name: 'cancelled', site: 'shop', secret: true, open: cancelled },
  {
    name: 'cancelled-in-doubt',
    site: 'shop',
    secret: true,
    async open({ shopper, sandbox }) {
      // It was told that it is paid, and cannot find out why the shopper cancelled.
      await sandbox.faults({ ok_lost: true, rollback_lost: true, status_pending: true });
      await shopper.startsPayment();
      await shopper.gateway.paysAndIsGivenBack();
      await shopper.order.says('settled');
    },
  },
  {
    name: 'message-not-found',
    site: 'shop',
    // Whoever wrote the address wrote the links, too.
    oneLanguage: 'always',
    open: (tools) => refused(tools, '/nothing/here', 404, 'Page not found'),
  },
  {
    name: 'message-bad-request',
    site: 'shop',
    open: (tools) => refused(tools, '/checkout?cart=%25', 400, 'We could not read that'),
  },
  {
    name: 'message-unverified',
    site: 'shop',
    open: (tools) => refused(tools, '/checkout/unknown', 400, 'We could not confirm this answer'),
  },
];

const SANDBOX: readonly Scene[] = [
  { name: 'sandbox-pay', site: 'sandbox', open: ({ shopper }) => shopper.startsPayment() },
  {
    name: 'sandbox-declined',
    site: 'sandbox',
    async open({ shopper }) {
      await shopper.startsPayment();
      await shopper.gateway.isDeclined();
    },
  },
  {
    name: 'sandbox-ideal',
    site: 'sandbox',
    async open({ shopper }) {
      await shopper.fillsInCheckout();
      await shopper.checkout.option('iDEAL').check();
      await shopper.goesToPay();
    },
  },
  {
    name: 'sandbox-success',
    site: 'sandbox',
    async open({ shopper }) {
      await shopper.startsPayment();
      await shopper.gateway.confirms();
      await shopper.gateway.says('Payment successful');
    },
  },
  {
    name: 'sandbox-given-back',
    site: 'sandbox',
    async open({ shopper, sandbox }) {
      await sandbox.faults({ notify_lost: true });
      await shopper.startsPayment();
      await shopper.gateway.confirms();
      await shopper.gateway.says('The payment was given back');
    },
  },
  {
    name: 'sandbox-cancelled',
    site: 'sandbox',
    async open({ shopper }) {
      await shopper.page.route('**/mypos/cancel', (route) => route.fulfill({ status: 204 }));
      await shopper.startsPayment();
      await shopper.gateway.cancel.click();
      await shopper.gateway.says('Payment cancelled');
    },
  },
  {
    name: 'sandbox-expired',
    site: 'sandbox',
    async open({ shopper, sandbox }) {
      await shopper.startsPayment();
      await sandbox.advanceClock(31 * MINUTE);
      await shopper.page.reload();
      await shopper.gateway.says('The time to pay is up');
    },
  },
  {
    name: 'sandbox-error',
    site: 'sandbox',
    open: ({ shopper }) => shopper.sendsAnotherAmount(),
  },
  {
    name: 'sandbox-unknown',
    site: 'sandbox',
    open: (tools) => {
      const address = `${tools.shopper.addresses.sandbox}/vmp/checkout/pay/nothing`;
      return refused(tools, address, 404, 'No such payment');
    },
  },
  {
    name: 'sandbox-control',
    site: 'sandbox',
    async open({ shopper }) {
      await shopper.startsPayment();
      await shopper.page.goto(shopper.addresses.sandbox);
      await shopper.page.getByRole('heading', { level: 1, name: 'myPOS sandbox' }).waitFor();
    },
  },
  {
    name: 'sandbox-control-payment',
    site: 'sandbox',
    async open({ shopper, sandbox }) {
      await shopper.buys();
      const { order_id } = await sandbox.onlyPayment();
      await shopper.page.goto(shopper.addresses.sandbox);
      await shopper.page.getByRole('link', { name: order_id }).click();
      await shopper.page.getByRole('heading', { level: 1, name: order_id }).waitFor();
    },
  },
];

/** Buys, signs in as the merchant, and opens the order. */
async function orderAtTheDesk({ shopper, merchant }: Tools): Promise<string> {
  await shopper.buys();
  const reference = await shopper.order.reference();
  await merchant.signsIn();
  await merchant.opens(reference);
  return reference;
}

const MERCHANT: readonly Scene[] = [
  {
    name: 'merchant-sign-in',
    site: 'shop',
    async open({ merchant }) {
      await merchant.page.goto('/merchant');
      await merchant.signInButton.waitFor();
    },
  },
  {
    name: 'merchant-sign-in-wrong',
    site: 'shop',
    oneLanguage: 'always',
    async open({ merchant, guard }) {
      guard.expectStatus(422);
      await merchant.page.goto('/merchant');
      await merchant.types('nobody@merchant.example', 'a password that is wrong');
      await merchant.problems.waitFor();
    },
  },
  {
    name: 'merchant-transactions',
    site: 'shop',
    async open(tools) {
      await orderAtTheDesk(tools);
      await tools.merchant.refunds('3', 'The handle has a chip');
      await tools.merchant.page.goto('/merchant/transactions');
      await tools.merchant.list.waitFor();
    },
  },
  {
    name: 'merchant-nothing-found',
    site: 'shop',
    async open({ merchant }) {
      await merchant.signsIn();
      await merchant.searches('nobody at all');
      await merchant.page.getByRole('heading', { name: 'Nothing matches' }).waitFor();
    },
  },
  {
    name: 'merchant-order',
    site: 'shop',
    async open(tools) {
      await orderAtTheDesk(tools);
      await tools.merchant.refunds('8.50', 'One of two arrived broken, and the shopper keeps the other one');
    },
  },
  {
    name: 'merchant-order-with-errors',
    site: 'shop',
    oneLanguage: 'always',
    async open(tools) {
      tools.guard.expectStatus(422);
      await orderAtTheDesk(tools);
      await tools.merchant.fillsInRefund('a lot', '');
      await tools.merchant.problems.waitFor();
    },
  },
  {
    name: 'merchant-refund-review',
    site: 'shop',
    oneLanguage: 'always',
    async open(tools) {
      await orderAtTheDesk(tools);
      await tools.merchant.fillsInRefund('8.50', 'One arrived broken');
      await tools.merchant.page.getByRole('heading', { level: 1, name: 'Refund €8.50?' }).waitFor();
    },
  },
  {
    name: 'merchant-refund-unknown',
    site: 'shop',
    async open(tools) {
      const reference = await orderAtTheDesk(tools);
      await tools.sandbox.faults({ refund_unknown_answer: { value: 1 } });
      await tools.merchant.refunds('8.50', 'One arrived broken');
      await tools.merchant.opens(reference);
      await tools.merchant.page.getByText('Unknown: please check').waitFor();
    },
  },
  {
    name: 'merchant-awaiting',
    site: 'shop',
    async open({ shopper, merchant }) {
      await shopper.fillsInCheckout();
      await shopper.checkout.option('Bank transfer').check();
      await shopper.checkout.pay.click();
      await shopper.order.says('awaiting');
      const reference = await shopper.order.reference();
      await merchant.signsIn();
      await merchant.opens(reference);
    },
  },
  {
    name: 'merchant-account',
    site: 'shop',
    async open({ merchant }) {
      await merchant.signsIn();
      await merchant.page.goto('/merchant/account');
      await merchant.page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
    },
  },
  {
    name: 'merchant-audit',
    site: 'shop',
    async open({ merchant }) {
      await merchant.signsIn();
      await merchant.page.goto('/merchant/audit');
      await merchant.page.getByRole('heading', { level: 1, name: 'Who did what' }).waitFor();
    },
  },
];

export const SCENES: readonly Scene[] = [...SHOP, ...MERCHANT, ...SANDBOX];

