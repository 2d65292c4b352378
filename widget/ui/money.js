// @ts-check
import { BUILD } from '../build.js';

/**
 * Decimals people write a currency with.
 * @param {string} currency
 */
export function decimalsOf(currency) {
  return BUILD.currencies[currency] ?? 2;
}

/**
 * What a person typed (`1 200,50`) as the backend takes it (`1200.50`), or null if it is no amount above zero.
 * One separator with three digits behind it groups thousands, unless the currency has three decimals.
 * @param {string} typed
 * @param {string} currency
 * @param {string} lang
 */
export function parseAmount(typed, currency, lang) {
  const text = typed.replace(/[\s'’]/g, '');
  if (!/^\d[\d.,]*$/.test(text)) return null;
  const point = decimalPoint(text, currency, lang);
  const whole = ungrouped(point < 0 ? text : text.slice(0, point));
  const fraction = point < 0 ? '' : text.slice(point + 1);
  if (whole === null || !/^\d*$/.test(fraction) || !/[1-9]/.test(whole + fraction)) return null;
  const digits = decimalsOf(currency);
  const kept = fraction.length > digits ? fraction.replace(/0+$/, '') : fraction;
  const padded = kept.padEnd(digits, '0');
  return padded ? `${whole}.${padded}` : whole;
}

/**
 * @param {string} text
 * @param {string} currency
 * @param {string} lang
 */
function decimalPoint(text, currency, lang) {
  const last = Math.max(text.lastIndexOf('.'), text.lastIndexOf(','));
  if (last < 0) return -1;
  const separator = text[last];
  if (text.indexOf(separator) !== last) return -1;
  const alone = !text.includes(separator === '.' ? ',' : '.');
  const couldGroup = alone && /^[1-9]\d{0,2}$/.test(text.slice(0, last)) && text.length - last === 4;
  if (!couldGroup) return last;
  return decimalsOf(currency) === 3 && separator === decimalSign(lang) ? last : -1;
}

/** @param {string} text */
function ungrouped(text) {
  if (/^\d+$/.test(text)) return text.replace(/^0+(?=\d)/, '');
  return /^[1-9]\d{0,2}(?:([.,])\d{2,3})(?:\1\d{2,3})*$/.test(text) && /[.,]\d{3}$/.test(text)
    ? text.replace(/[.,]/g, '')
    : null;
}

/**
 * An amount as somebody who reads `lang` would type it: `1200,50`.
 * @param {string} amount
 * @param {string} lang
 */
export function written(amount, lang) {
  return amount.replace('.', decimalSign(lang));
}

/** @param {string} lang */
function decimalSign(lang) {
  return new Intl.NumberFormat(lang).format(1.5)[1];
}

/**
 * An amount for people, with exactly the decimals it came with: symbol and code, as the client's pages have it
 * (`$1,200.00 USD`), for many currencies share a symbol. A code that is no currency is written behind it.
 * @param {import('../types.d.ts').Amount} money
 * @param {string} lang
 */
export function formatAmount({ amount, currency }, lang) {
  const digits = Math.min(amount.split('.')[1]?.length ?? 0, 3);
  try {
    const written = new Intl.NumberFormat(lang, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: /** @type {any} */ ('always'), // Spanish groups from ten thousand on, our pages do from one
    }).format(Number(amount));
    return written.includes(currency) ? written : `${written} ${currency}`;
  } catch {
    return `${amount} ${currency}`;
  }
}

/**
 * A sentence of the backend, in which amounts stand as `{600.00 USD}`: so each sum has one spelling on the card.
 * @param {string} sentence
 * @param {string} lang
 */
export function withAmounts(sentence, lang) {
  return sentence.replace(/\{(\d+(?:\.\d+)?) ([A-Z]{3})\}/g, (_, amount, currency) =>
    formatAmount({ amount, currency }, lang),
  );
}

/**
 * The same, for a place so narrow that the currency may have to stand in a line of its own.
 * @param {import('../types.d.ts').Amount} money
 * @param {string} lang
 */
export function breakableAmount(money, lang) {
  return formatAmount(money, lang).replace(/(\D)\u00a0|\u00a0(?=\D)/g, '$1 ');
}

/**
 * `percent` of an amount, in steps every currency takes (Stripe wants a last digit 0 where there are three decimals).
 * @param {string} amount
 * @param {number} percent
 * @param {string} currency
 */
export function shareOf(amount, percent, currency) {
  return ((Number(amount) * percent) / 100).toFixed(Math.min(decimalsOf(currency), 2));
}

/**
 * What is left of `total` after `paid`, never below zero.
 * @param {string} total
 * @param {string} paid
 * @param {string} currency
 */
export function restOf(total, paid, currency) {
  return Math.max(0, Number(total) - Number(paid)).toFixed(decimalsOf(currency));
}
