// @ts-check
import { BUILD } from '../build.js';

/** Returns the decimals with which people write a currency. @param {string} currency */
export function decimalsOf(currency) {
  return BUILD.currencies[currency] ?? 2;
}

/**
 * Returns a typed amount (`1 200,50`) as the backend expects it (`1200.50`), null unless it is above zero. One
 * separator before three digits groups thousands, unless the currency has three decimals.
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
 * Returns the index of the decimal sign, -1 without one.
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

/** Returns the digits without thousands separators, null if the grouping is invalid. @param {string} text */
function ungrouped(text) {
  if (/^\d+$/.test(text)) return text.replace(/^0+(?=\d)/, '');
  return /^[1-9]\d{0,2}(?:([.,])\d{2,3})(?:\1\d{2,3})*$/.test(text) && /[.,]\d{3}$/.test(text)
    ? text.replace(/[.,]/g, '')
    : null;
}

/**
 * Returns an amount as a reader of `lang` types it: `1200,50`.
 * @param {string} amount
 * @param {string} lang
 */
export function written(amount, lang) {
  return amount.replace('.', decimalSign(lang));
}

/** Returns the decimal sign of a locale. @param {string} lang */
function decimalSign(lang) {
  return new Intl.NumberFormat(lang).format(1.5)[1];
}

/**
 * Returns an amount for people with the decimals that it has: symbol and code, as on the payer's pages (`$1,200.00
 * USD`), since many currencies share a symbol. An unknown code follows the number.
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
      useGrouping: /** @type {any} */ ('always'), // Spanish groups from ten thousand; the payer's pages from one thousand
    }).format(Number(amount));
    return written.includes(currency) ? written : `${written} ${currency}`;
  } catch {
    return `${amount} ${currency}`;
  }
}

/**
 * Returns the backend's sentence with each `{600.00 USD}` formatted, so that a sum looks the same everywhere on the
 * card.
 * @param {string} sentence
 * @param {string} lang
 */
export function withAmounts(sentence, lang) {
  return sentence.replace(/\{(\d+(?:\.\d+)?) ([A-Z]{3})\}/g, (_, amount, currency) =>
    formatAmount({ amount, currency }, lang),
  );
}

/**
 * Returns the same for narrow places, where the currency may wrap to a line of its own.
 * @param {import('../types.d.ts').Amount} money
 * @param {string} lang
 */
export function breakableAmount(money, lang) {
  return formatAmount(money, lang).replace(/(\D)\u00a0|\u00a0(?=\D)/g, '$1 ');
}

/**
 * Returns `percent` of an amount with at most two decimals: Stripe requires a last digit 0 in three-decimal
 * currencies.
 * @param {string} amount
 * @param {number} percent
 * @param {string} currency
 */
export function shareOf(amount, percent, currency) {
  return ((Number(amount) * percent) / 100).toFixed(Math.min(decimalsOf(currency), 2));
}

/**
 * Returns `total` less `paid`, never below zero.
 * @param {string} total
 * @param {string} paid
 * @param {string} currency
 */
export function restOf(total, paid, currency) {
  return Math.max(0, Number(total) - Number(paid)).toFixed(decimalsOf(currency));
}
