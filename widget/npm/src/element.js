// The element <tillgate-checkout>: properties, events, and what is shown where the checkout itself cannot be.
// The checkout is WebAssembly, mounted into the element's shadow root. Importing this module does nothing else.

import { readLines, writeLines } from './cart.js';
import { Failure, Policy, whyNoAnswer } from './failure.js';
import { home, styles, wasm } from './files.js';
import { get } from './get.js';
import { words } from './words.js';

const TAG = 'tillgate-checkout';

/** Properties that a host page may have set before the element was defined. `lang` is the browser's own. */
const PROPERTIES = ['api', 'cart', 'customer', 'lines', 'quote', 'reference', 'returnUrl'];

/** What is shown before the checkout's own style sheets have come, and where they do not. */
const FRAME = `
:host { display: block }
:host([hidden]), [hidden] { display: none !important }
.note { margin: 0 0 16px; padding: 16px 20px; border: 1px solid; border-inline-start-width: 6px;
  border-radius: var(--tillgate-radius, 6px); border-color: var(--tillgate-accent, currentColor) }
.note p { margin: 0 }
.note a, ::slotted(a) { display: inline-block; padding: 12px 0; font-weight: 600 }
.link { display: inline-block; padding: 12px 20px; border-radius: var(--tillgate-radius, 6px); font-weight: 600;
  background: var(--tillgate-accent, #1f5644); color: var(--tillgate-on-accent, #fff); text-decoration: none }
:is(.link, .note):focus-visible { outline: 3px solid var(--tillgate-accent, #1f5644); outline-offset: 2px }`;

/** Carts whose id is remembered, by the elements of this page. */
const carts = new Set();

let bundle;

/** Style sheets and WebAssembly, once for all elements. After a failure the next element tries again. */
function load() {
  bundle ??= fetchBundle().catch((error) => {
    bundle = undefined;
    throw error;
  });
  return bundle;
}

async function fetchBundle() {
  const [glue, texts, module_or_path] = await Promise.all([
    import('./tillgate-widget.js'),
    styles(),
    get(wasm.url, wasm.integrity),
  ]);
  await glue.default({ module_or_path });
  return { mount: glue.mount, sheets: texts.map(sheet) };
}

function sheet(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

function create(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// On a server there is no HTMLElement, and nobody makes an element there.
export class TillgateCheckout extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ['api', 'cart', 'lang', 'lines', 'quote', 'reference', 'return-url'];

  #lines = [];
  /** The lines that the host page set last. */
  #given = '';
  #customer = {};
  /** What the checkout was told of the shopper last. */
  #filled = {};
  /** What the shopper had typed and chosen when the checkout was last taken out of the page. */
  #left;
  #mounted;
  #changes;
  /** Counts the starts, so that a late answer is told from the latest. */
  #starts = 0;
  #isDue = false;
  #policy;
  #cartKey;
  #cartId;
  #target;
  #note;
  #slot;
  #link;

  constructor() {
    super();
    this.#target = create('div', {});
    this.#note = create('div', { className: 'note', hidden: true, tabIndex: -1 });
    this.#note.setAttribute('part', 'note');
    this.#note.setAttribute('role', 'alert');
    this.#link = create('a', { className: 'link', target: '_top' });
    this.#link.setAttribute('part', 'link');
    this.#slot = create('slot', {}, this.#link);
    this.attachShadow({ mode: 'open' }).append(this.#note, this.#target, this.#slot);
    this.shadowRoot.adoptedStyleSheets = [sheet(FRAME)];
  }

  /** The origin of the Tillgate server; empty where the attribute holds no address. */
  get api() {
    const address = this.getAttribute('api') ?? home;
    return /^https?:/.test(address) && URL.canParse(address) ? new URL(address).origin : '';
  }

  set api(value) {
    this.#reflect('api', value);
  }

  /** A name for the cart, where one page has several. */
  get cart() {
    return this.getAttribute('cart') ?? 'default';
  }

  set cart(value) {
    this.#reflect('cart', value);
  }

  /** What is bought. A copy: set it anew to change it. */
  get lines() {
    return this.#lines.map((line) => ({ ...line }));
  }

  set lines(value) {
    let lines;
    try {
      lines = readLines(value ?? []);
    } catch (error) {
      this.#report(new Failure('lines', error.message));
      return;
    }
    // Frameworks set a property again when they render again. That is no change, and what the shopper changed
    // in the meantime stays.
    const given = writeLines(lines);
    if (given !== this.#given) this.#setLines(lines);
    this.#given = given;
  }

  /** What is known of the shopper. Fills fields; what was typed stays. */
  get customer() {
    return { ...this.#customer };
  }

  set customer(value) {
    this.#customer = { ...value };
    this.#update({ customer: this.#customer });
  }

  /** A quote that the shop's own backend signed, in place of lines. */
  get quote() {
    return this.getAttribute('quote') ?? '';
  }

  set quote(value) {
    this.#reflect('quote', value);
  }

  /** The shop's own number for this order. */
  get reference() {
    return this.getAttribute('reference') ?? '';
  }

  set reference(value) {
    this.#reflect('reference', value);
  }

  /** Where the result page leads home. */
  get returnUrl() {
    return this.getAttribute('return-url') ?? '';
  }

  set returnUrl(value) {
    this.#reflect('return-url', value);
  }

  /** The address of the hosted checkout, with this cart. */
  get hostedUrl() {
    const query = [this.quote === '' ? `cart=${writeLines(this.#lines)}` : `quote=${encodeURIComponent(this.quote)}`];
    const more = { lang: this.#language(), return_url: this.returnUrl, reference: this.reference };
    for (const [name, value] of Object.entries(more)) {
      if (value !== '') query.push(`${name}=${encodeURIComponent(value)}`);
    }
    return `${this.api}/checkout?${query.join('&')}`;
  }

  /** Puts more of an article into the cart. */
  addLine(sku, quantity = 1) {
    this.#setLines(readLines([...this.#lines, { sku, quantity }]));
  }

  /** Sets how many of an article there are; 0 removes it. */
  setLine(sku, quantity) {
    const known = this.#lines.some((line) => line.sku === sku);
    const lines = this.#lines.map((line) => (line.sku === sku ? { sku, quantity } : line));
    this.#setLines(readLines(known ? lines : [...lines, { sku, quantity }]));
  }

  /** Removes an article. */
  removeLine(sku) {
    this.#setLines(this.#lines.filter((line) => line.sku !== sku));
  }

  /** Empties the cart. */
  clearLines() {
    this.#setLines([]);
  }

  connectedCallback() {
    for (const name of PROPERTIES.filter((name) => Object.hasOwn(this, name))) {
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    // An element that was only moved goes on as it is.
    if (this.#policy === undefined) this.#startSoon();
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (!this.isConnected) this.#stop();
    });
  }

  connectedMoveCallback() {}

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (name === 'lines') {
      this.lines = after;
    } else if (name === 'reference') {
      this.#update({ reference: after ?? '' });
    } else if (name === 'return-url') {
      this.#update({ return_url: after ?? '' });
    } else if (this.#policy !== undefined) {
      // Another server, language, quote or cart is another checkout.
      this.#stop();
      this.#startSoon();
    } else {
      this.#showLink();
    }
  }

  #reflect(name, value) {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  #language() {
    return this.closest('[lang]')?.lang || document.documentElement.lang;
  }

  #setLines(lines) {
    const written = writeLines(lines);
    if (written === writeLines(this.#lines)) return;
    this.#lines = lines;
    this.#update({ lines: written });
  }

  /** Tells the checkout all changes of this moment at once; never while it is telling us something. */
  #update(change) {
    this.#changes = { ...this.#changes, ...change };
    this.#showLink();
    queueMicrotask(() => this.#tellChanges());
  }

  #tellChanges() {
    if (this.#mounted === undefined || this.#changes === undefined) return;
    const changes = this.#changes;
    this.#changes = undefined;
    this.#filled = changes.customer ?? this.#filled;
    this.#mounted.update(changes);
  }

  /** Starts after the host page has set what it sets in one go. */
  #startSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (this.isConnected && this.#policy === undefined) this.#start();
    });
  }

  async #start() {
    const start = (this.#starts += 1);
    const { api } = this;
    const told = (failure) => this.#report(failure);
    this.#policy = new Policy([api, new URL(wasm.url).origin], told);
    this.#showLink();
    try {
      if (api === '') throw new Failure('api', 'The attribute "api" has to be the address of your Tillgate server, such as "https://pay.example.com".');
      if (typeof WebAssembly === 'undefined') throw new Failure('wasm', 'This browser runs no WebAssembly.');
      const [{ mount, sheets }, table] = await Promise.all([load(), this.#fetchTable(api)]);
      if (start === this.#starts) this.#mount(mount, sheets, table);
    } catch (error) {
      if (start === this.#starts) await this.#fail(error, start);
    }
  }

  #stop() {
    this.#starts += 1;
    if (this.#mounted !== undefined) {
      const { customer, ...left } = this.#mounted.state() ?? {};
      // What the page filled in is the page's to change; the rest was typed, or taken out.
      const typed = Object.entries(customer ?? {}).filter(([name, value]) => value !== (this.#filled[name] ?? ''));
      this.#left = { ...left, typed: Object.fromEntries(typed) };
      this.#mounted.free();
      this.#mounted = undefined;
    }
    this.#policy?.stop();
    this.#policy = undefined;
    carts.delete(this.#cartKey);
    this.#cartKey = undefined;
    this.#slot.hidden = false;
    this.#note.hidden = true;
  }

  /** Texts, prices and choices. */
  async #fetchTable(api) {
    const policy = this.#policy;
    // From here on, changes are news.
    this.#changes = undefined;
    const query = new URLSearchParams();
    const pairs = {
      language: this.#language(),
      lines: writeLines(this.#lines),
      delivery: this.#left?.delivery,
      // A quote is a cart of its own.
      cart_id: this.quote === '' ? this.#claimCart(api) : '',
      signed_quote: this.quote,
    };
    for (const [name, value] of Object.entries(pairs)) {
      if (value) query.set(name, value);
    }
    const answer = await fetch(`${api}/api/checkout/widget?${query}`).catch(async (error) => {
      // A blocked call is told by the policy.
      throw (await policy.isTheCause()) ? error : await whyNoAnswer(api);
    });
    const body = await answer.json().catch(() => null);
    if (answer.ok && body !== null) return body;
    const code = codeOf(body) ?? 'unreachable';
    throw new Failure(code, `${api} answers ${answer.status} (${code}).`);
  }

  #mount(mount, sheets, table) {
    const root = document.createElement('div');
    this.#target.replaceChildren(root);
    this.shadowRoot.adoptedStyleSheets = [this.shadowRoot.adoptedStyleSheets[0], ...sheets];
    this.#cartId = table.cart_id;
    this.#keepCart(this.#cartId);
    this.#filled = this.#customer;
    const host = {
      emit: (name, detail) => this.#hear(name, detail),
      leave: (url) => this.#leave(url, table.words),
    };
    this.#watchForms(root, table.words);
    const typed = this.#left?.typed ?? {};
    const options = {
      api: this.api,
      table,
      customer: Object.fromEntries(Object.entries(this.#customer).filter(([name]) => !(name in typed))),
      typed,
      method: this.#left?.method,
      quote: this.quote,
      reference: this.reference,
      return_url: this.returnUrl,
    };
    try {
      this.#mounted = mount(root, host, options);
    } catch (error) {
      if (error !== 'outdated' && error !== 'unreadable') throw error;
      throw new Failure('outdated', `This checkout and the server at ${this.api} are of different versions. Use the same version of both.`);
    }
    this.#slot.hidden = true;
    const code = codeOf(table.problem);
    if (code !== undefined) this.#report(new Failure(code, `The signed quote is refused: ${code}.`));
    this.#tellChanges();
  }

  /** Something that the checkout tells. Answers false where the host page cancelled it. */
  #hear(name, detail) {
    // A quote takes the place of the lines, and leaves them as they are.
    if (name === 'change' && detail.fixed) detail.lines = this.lines;
    if (name === 'change' && !detail.fixed) {
      this.#lines = detail.lines.map(({ sku, quantity }) => ({ sku, quantity }));
      // A cart that is filled again, or only now, is still the one that the checkout names to the server.
      this.#keepCart(this.#lines.length === 0 ? null : this.#cartId);
      this.#showLink();
    }
    return this.#emit(name, detail);
  }

  #emit(name, detail) {
    const cancelable = name === 'redirect';
    return this.dispatchEvent(new CustomEvent(`tillgate-${name}`, { detail, cancelable, bubbles: true, composed: true }));
  }

  /** Opens an address of the server in the top window. Answers false where that is forbidden. */
  #leave(url, words) {
    this.#note.hidden = true;
    try {
      if (window.top === window) location.assign(url);
      // Of another origin's window, nothing but its address can be set.
      else window.top.location.href = url;
      return true;
    } catch {
      this.#isFramed(url, words, 'allow-top-navigation-by-user-activation');
      return false;
    }
  }

  /** A sandboxed frame without forms swallows the press of Pay: no event follows it. */
  #watchForms(root, words) {
    let isSubmitted;
    root.addEventListener('submit', () => (isSubmitted = true));
    root.addEventListener('click', ({ target }) => {
      if (!target.closest('[part=button]')) return;
      isSubmitted = false;
      setTimeout(() => isSubmitted || this.#isFramed(this.hostedUrl, words, 'allow-forms'));
    });
  }

  /** The frame does not let the shopper pay: shows another way. */
  #isFramed(url, { blocked, open }, missing) {
    const link = create('a', { href: url, target: '_blank', rel: 'noopener', textContent: open });
    this.#say(create('p', { textContent: blocked }), link);
    this.#note.focus();
    this.#report(new Failure('frame', `The frame around this page does not let the shopper pay: add ${missing} to its sandbox attribute.`));
  }

  async #fail(error, start) {
    this.#target.replaceChildren();
    const isTold = !(error instanceof Failure) && (await this.#policy.isTheCause());
    if (start !== this.#starts) return;
    this.#showLink();
    this.#say(create('p', { textContent: words(this.#language() || navigator.language).failed }));
    if (!isTold) this.#report(error instanceof Failure ? error : new Failure('load', `The files of the checkout could not be loaded: ${error?.message ?? error}`));
  }

  #say(...children) {
    this.#note.replaceChildren(...children);
    this.#note.hidden = false;
  }

  /** Tells the developer. */
  #report({ code, message }) {
    console.error(`<${this.localName}> ${message}`);
    this.#emit('error', { code, message });
  }

  /** Carries the cart along on the link to the hosted checkout: the own one, and the host page's. */
  #showLink() {
    const { api, hostedUrl } = this;
    this.#link.hidden = api === '';
    this.#link.textContent = words(this.#language() || navigator.language).link;
    this.#link.href = hostedUrl;
    if (api === '' || (this.quote === '' && this.#lines.length === 0)) return;
    for (const link of this.querySelectorAll('a[href]')) {
      if (link.origin === api && link.pathname === '/checkout') link.href = hostedUrl;
    }
  }

  /** The id of this cart from an earlier visit. Of two carts with one name on a page, the first has it. */
  #claimCart(api) {
    const key = `tillgate ${api} ${this.cart}`;
    if (this.#cartKey === undefined && !carts.has(key)) {
      carts.add(key);
      this.#cartKey = key;
    }
    return this.#cartKey && stored((storage) => storage.getItem(key));
  }

  #keepCart(id) {
    const key = this.#cartKey;
    if (key === undefined) return;
    stored((storage) => (id === null ? storage.removeItem(key) : storage.setItem(key, id)));
  }
}

/** The code of a refusal: `"busy"`, or `{"quote": "expired"}`. */
function codeOf(problem) {
  if (typeof problem === 'string') return problem;
  const [name, more] = Object.entries(problem ?? {})[0] ?? [];
  return name === 'quote' ? `quote_${more}` : name;
}

/** Storage may be forbidden or full; then a cart has a new id on each page. */
function stored(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}

/** Defines the element, unless something is defined under this name already. Answers what is. On a server, does nothing. */
export function define(tag = TAG) {
  if (typeof customElements === 'undefined') return TillgateCheckout;
  const known = customElements.get(tag);
  if (known !== undefined) return known;
  // A class can have one name only.
  const element = tag === TAG ? TillgateCheckout : class extends TillgateCheckout {};
  customElements.define(tag, element);
  return element;
}
