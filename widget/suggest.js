// @ts-check
import { parseAmount, restOf, shareOf } from './money.js';

/**
 * What the form starts with, from what the backend knows of the deal and what stands in the card.
 * @param {import('./types').Deal} deal
 * @param {{budget: string, name: string, lang: string}} card
 * @returns {import('./types').FormValues}
 */
export function firstValues(deal, card) {
  const currency = currencyOf(deal);
  const kind = restOpen(deal) ? 'rest' : 'full';
  const values = { currency, description: card.name, interval: 'month', intervalCount: '1' };
  const total = parseAmount(card.budget, currency, card.lang) ?? '';
  return { ...values, kind, total, amount: suggestedAmount(kind, deal, currency, total) };
}

/** @param {import('./types').Deal} deal */
function currencyOf(deal) {
  const known = [...deal.expected, ...deal.paid, ...deal.requests].map((money) => money.currency);
  return deal.currency || known[0] || '';
}

/**
 * What is open of a deal in which money has come or a deposit was asked for; null where there is no "rest".
 * @param {import('./types').Deal} deal
 */
export function restOpen(deal) {
  const open = deal.open.find((money) => Number(money.amount) > 0);
  const begun = deal.paid.length > 0 || deal.requests.some((request) => request.kind === 'deposit');
  return open && begun ? open : null;
}

/**
 * @param {string} kind
 * @param {import('./types').Deal} deal
 * @param {string} currency
 * @param {string} total the deal's budget or typed total, '' if there is none
 */
export function suggestedAmount(kind, deal, currency, total) {
  if (kind === 'rest') return restOpen(deal)?.amount ?? '';
  if (!total) return '';
  if (kind === 'deposit') return shareOf(total, 50, currency);
  const paid = deal.paid.find((money) => money.currency === currency);
  const left = paid && kind === 'full' ? restOf(total, paid.amount, currency) : total;
  return Number(left) > 0 ? left : '';
}
