// @ts-check
import { BUILD } from '../build.js';

/** The local storage key for the last used currencies; shared by all deals of the account. */
const PLACE = 'dealpay-currencies';
const KEPT = 3;

/**
 * Returns (code, name) of every currency that Stripe supports; the deal's, the account's and the last used ones come
 * first.
 * @param {string} chosen
 * @param {import('../types.d.ts').Deal} deal
 * @param {string} lang
 * @returns {[string, string][]}
 */
export function currencyOptions(chosen, deal, lang) {
  const asked = [...deal.expected, ...deal.paid, ...deal.requests].map(({ currency }) => currency);
  const near = [chosen, deal.currency, ...asked, deal.account_currency, ...lastUsed()];
  const known = Object.keys(BUILD.currencies).sort();
  const codes = new Set([...near.filter((code) => !!code).map(String), ...known]);
  const nameOf = namesIn(lang);
  /** @type {[string, string][]} */
  const empty = chosen ? [] : [['', '—']];
  return [...empty, ...[...codes].map((code) => /** @type {[string, string]} */ ([code, labelOf(code, nameOf(code))]))];
}

/** Remembers the currency of a created link. @param {string} currency that a link was made in */
export function keepCurrency(currency) {
  const kept = [currency, ...lastUsed().filter((code) => code !== currency)].slice(0, KEPT);
  try {
    localStorage.setItem(PLACE, kept.join(' '));
  } catch {
    // Without storage the list keeps its default order.
  }
}

/** Returns the last used currencies. Kommo's page may store anything under our key, so only known codes count. */
function lastUsed() {
  try {
    return (localStorage.getItem(PLACE) ?? '').split(' ').filter((code) => Object.hasOwn(BUILD.currencies, code));
  } catch {
    return [];
  }
}

/**
 * Returns a function from a currency's code to its name.
 * @param {string} lang
 * @returns {(code: string) => string} '' if the browser has no name
 */
function namesIn(lang) {
  try {
    const names = new Intl.DisplayNames(lang, { type: 'currency', fallback: 'none' });
    return (code) => (/^[A-Z]{3}$/.test(code) ? (names.of(code) ?? '') : '');
  } catch {
    return () => '';
  }
}

/**
 * @param {string} code
 * @param {string} name
 */
function labelOf(code, name) {
  return name ? `${code} · ${name}` : code;
}
