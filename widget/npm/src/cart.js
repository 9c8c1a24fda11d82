// Carts as text (`mug:2,tea:1`) and as lists (`[{ sku: 'mug', quantity: 2 }, ...]`).

const MOST_LINES = 50;
const MOST_PIECES = 999;

/** The list behind a text or a list from the host page. Throws a TypeError that says what is wrong with it. */
export function readLines(value) {
  const given = typeof value === 'string' ? parse(value) : value;
  if (!Array.isArray(given)) throw new TypeError('lines is a list of { sku, quantity }, or text such as "mug:2,tea:1"');
  const pieces = new Map();
  for (const line of given) {
    const { sku, quantity } = line ?? {};
    checkSku(sku);
    checkQuantity(quantity);
    pieces.set(sku, (pieces.get(sku) ?? 0) + quantity);
  }
  const lines = [...pieces].filter(([, quantity]) => quantity > 0).map(([sku, quantity]) => ({ sku, quantity }));
  for (const { quantity } of lines) checkQuantity(quantity);
  if (lines.length > MOST_LINES) throw new TypeError(`a cart has at most ${MOST_LINES} different articles`);
  return lines;
}

/** The text of a list. */
export const writeLines = (lines) => lines.map(({ sku, quantity }) => `${sku}:${quantity}`).join(',');

function parse(text) {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  return parts.map((part) => {
    const [sku, quantity = '1'] = part.split(':');
    return { sku, quantity: /^\d+$/.test(quantity) ? Number(quantity) : NaN };
  });
}

function checkSku(sku) {
  if (typeof sku === 'string' && /^[\w.-]{1,64}$/.test(sku)) return;
  throw new TypeError(`${JSON.stringify(sku)} is no sku: 1 to 64 letters, digits, "-", "_" and "."`);
}

function checkQuantity(quantity) {
  if (Number.isInteger(quantity) && quantity >= 0 && quantity <= MOST_PIECES) return;
  throw new TypeError(`${quantity} is no quantity: a whole number from 0 to ${MOST_PIECES}`);
}
