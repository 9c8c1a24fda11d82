/** The sandbox's HTTP API: what happened at the gateway, and what shall go wrong there. */

import type { APIRequestContext, APIResponse, PlaywrightWorkerArgs } from '@playwright/test';

/** A fault's switch: on, off, or on with a number of times and a value. */
export type Switch = boolean | { count?: number; percent?: number; value?: number };

/** The faults that the tests use; the sandbox's README lists all. */
export type Faults = Partial<
  Record<
    | 'notify_lost'
    | 'notify_delayed_ms'
    | 'notify_doubled'
    | 'notify_corrupted'
    | 'notify_wrong_key'
    | 'notify_other_amount'
    | 'ok_lost'
    | 'keep_without_ok'
    | 'rollback_lost'
    | 'refund_late_ms'
    | 'refund_low_balance'
    | 'refund_unknown_answer'
    | 'status_late_ms'
    | 'status_no_answer'
    | 'status_pending',
    Switch
  >
>;

/** A payment as the gateway sees it. */
export interface Payment {
  readonly order_id: string;
  readonly status: 'pending' | 'paid' | 'unsuccessful' | 'reversed';
  readonly is_settling: boolean;
  readonly minor: number;
  readonly currency: string;
  readonly pay_url: string;
  readonly declined: number;
  readonly rollback_due_ms: number | null;
}

/** A message to the shop. */
export interface Delivery {
  readonly method: 'IPCPurchaseNotify' | 'IPCPurchaseRollback';
  readonly outcome: 'ok' | 'not_ok' | 'failed' | 'lost';
}

/** A payment with its history. */
export interface PaymentHistory extends Payment {
  readonly deliveries: readonly Delivery[];
  readonly log: readonly { action: string; result: string }[];
}

export class Sandbox {
  /** Payments of earlier tests, which had the same sandbox. */
  #earlier = new Set<string>();

  constructor(private readonly api: APIRequestContext) {}

  /** Everything works again, and only what happens from now on counts. */
  async reset(): Promise<void> {
    await this.#json(await this.api.delete('/sandbox/api/faults'));
    this.#earlier = new Set((await this.#all()).map((payment) => payment.order_id));
  }

  /** Switches faults for all payments from now on. */
  async faults(faults: Faults): Promise<void> {
    await this.#json(await this.api.put('/sandbox/api/faults', { data: faults }));
  }

  /** Moves the clock of sandbox and shop forward, and sends what is due by it. */
  async advanceClock(seconds: number): Promise<void> {
    await this.#json(await this.api.post('/sandbox/api/clock', { data: { advance_s: seconds } }));
    await this.#json(await this.api.post('/sandbox/api/deliveries/run'));
  }

  /** The payments of this test, the oldest first. */
  async payments(): Promise<Payment[]> {
    const all = await this.#all();
    return all.filter((payment) => !this.#earlier.has(payment.order_id)).reverse();
  }

  /** Where the payments of this test stand, the oldest first. */
  async statuses(): Promise<Payment['status'][]> {
    return (await this.payments()).map((payment) => payment.status);
  }

  /** The one payment of this test, with its history. */
  async onlyPayment(): Promise<PaymentHistory> {
    const [payment, ...others] = await this.payments();
    if (payment === undefined || others.length > 0) {
      throw new Error(`there are ${others.length + (payment ? 1 : 0)} payments, not one`);
    }
    return this.#json(await this.api.get(`/sandbox/api/payments/${payment.order_id}`));
  }

  /** Reverses a paid payment and tells the shop. */
  async rollBack(orderId: string): Promise<void> {
    await this.#json(await this.api.post(`/sandbox/api/payments/${orderId}/rollback`));
  }

  /** Notes when the shop next asks about a payment. The note is a fault that delays the answer by nothing. */
  async watchForQuestion(orderId: string): Promise<void> {
    const data = { status_late_ms: { count: 1, value: 0 } };
    await this.#json(await this.api.put(`/sandbox/api/payments/${orderId}/faults`, { data }));
  }

  /** Whether the shop has asked since then. */
  async wasAsked(orderId: string): Promise<boolean> {
    const path = `/sandbox/api/payments/${orderId}/faults`;
    const faults = await this.#json<Record<string, Switch>>(await this.api.get(path));
    return faults['status_late_ms'] === false;
  }

  /** Sends a payment's Notify; one that is not confirmed yet is confirmed. */
  async notify(orderId: string): Promise<void> {
    await this.#json(await this.api.post(`/sandbox/api/payments/${orderId}/notify`));
  }

  async #all(): Promise<Payment[]> {
    const answer = await this.#json<{ payments: Payment[] }>(await this.api.get('/sandbox/api/payments'));
    return answer.payments;
  }

  async #json<T>(response: APIResponse): Promise<T> {
    if (!response.ok()) {
      throw new Error(`the sandbox answered ${response.status()}: ${await response.text()}`);
    }
    return (await response.json()) as T;
  }
}

/** Lends a test the sandbox at an address, without the faults that others asked for. */
export async function withSandbox(
  playwright: PlaywrightWorkerArgs['playwright'],
  baseURL: string,
  use: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const api = await playwright.request.newContext({ baseURL });
  const sandbox = new Sandbox(api);
  await sandbox.reset();
  await use(sandbox);
  await api.dispose();
}
