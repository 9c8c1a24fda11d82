// What went wrong, found out and put into words for developers.

/** Something that keeps the checkout from working. `code` is for programs, `message` for developers. */
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** How long after a failure the browser's report of a violated policy may arrive, in milliseconds. */
const REPORT_WITHIN = 250;

/** What the page's policy has to contain, by the directive that blocked something. */
const REMEDIES = {
  'script-src': (origin) => `Add ${origin} to script-src.`,
  'connect-src': (origin) => `Add ${origin} to connect-src.`,
  'img-src': (origin) => `Add ${origin} to img-src; without it the checkout works, but shows no pictures of the articles.`,
};

/** Collects what the Content-Security-Policy of the page blocks of the origins that the checkout needs. */
export class Policy {
  #origins;
  #seen = new Set();
  #told;

  /** `told` is called with a Failure, once for each directive. */
  constructor(origins, told) {
    this.#origins = origins;
    this.#told = told;
    document.addEventListener('securitypolicyviolation', this);
  }

  stop() {
    document.removeEventListener('securitypolicyviolation', this);
  }

  handleEvent({ blockedURI, disposition, effectiveDirective }) {
    if (disposition !== 'enforce') return;
    const isWasm = blockedURI === 'wasm-eval';
    const origin = this.#origins.find((origin) => blockedURI === origin || blockedURI.startsWith(`${origin}/`));
    if (!isWasm && origin === undefined) return;
    const directive = effectiveDirective.replace(/-(elem|attr)$/, '');
    const remedy = isWasm ? "Add 'wasm-unsafe-eval' to script-src." : REMEDIES[directive]?.(origin);
    if (remedy === undefined || this.#seen.has(remedy)) return;
    this.#seen.add(remedy);
    const what = isWasm ? 'WebAssembly' : blockedURI;
    this.#told(new Failure('csp', `The Content-Security-Policy of this page blocks ${what} (${directive}). ${remedy}`));
  }

  /** Whether it was the policy: a report comes a moment later than the failure. */
  async isTheCause() {
    if (this.#seen.size > 0) return true;
    await new Promise((done) => {
      const report = () => {
        clearTimeout(timer);
        document.removeEventListener('securitypolicyviolation', report);
        done();
      };
      const timer = setTimeout(report, REPORT_WITHIN);
      document.addEventListener('securitypolicyviolation', report);
    });
    return this.#seen.size > 0;
  }
}

/** Why the server at `api` did not answer: its manifest is open to every page, the rest to listed ones. */
export async function whyNoAnswer(api) {
  const isThere = await fetch(`${api}/widget/v1/manifest.json`).then((answer) => answer.ok, () => false);
  return isThere
    ? new Failure('origin', `${api} does not take calls from this page: add "${location.origin}" to storefront_origins in its tillgate.toml.`)
    : new Failure('unreachable', `${api} does not answer. Is the address right, and is the server running?`);
}
