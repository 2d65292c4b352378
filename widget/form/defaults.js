// @ts-check
import { parseAmount, restOf, shareOf, written } from '../ui/money.js';

/**
 * Returns the form's first values, from the backend's data about the deal and the card's.
 * @param {import('../types.d.ts').Deal} deal
 * @param {{budget: string, description: string, lang: string}} card
 * @returns {import('../types.d.ts').FormValues}
 */
export function firstValues(deal, card) {
  const currency = currencyOf(deal);
  const kind = restOpen(deal) ? 'rest' : 'full';
  const values = { currency, description: card.description, percent: '50', interval: 'month', intervalCount: '1' };
  const total = parseAmount(card.budget, currency, card.lang) ?? '';
  const amount = suggestedAmount({ ...values, kind }, deal, total);
  const days = { dueOn: deal.new_dates?.due_on ?? '', validUntil: deal.new_dates?.valid_until ?? '' };
  return { ...values, ...days, kind, total: written(total, card.lang), amount: written(amount, card.lang) };
}

/** Returns the deal's currency, else the first one used in it. @param {import('../types.d.ts').Deal} deal */
function currencyOf(deal) {
  const known = [...deal.expected, ...deal.paid, ...deal.requests].map((money) => money.currency);
  return deal.currency || known[0] || '';
}

/**
 * Returns the open rest of a deal that has a payment or a deposit request, less what banks are transferring; null if
 * there is no rest.
 * @param {import('../types.d.ts').Deal} deal
 */
export function restOpen(deal) {
  const open = deal.open.find((money) => Number(money.amount) > 0);
  const begun = deal.paid.length > 0 || deal.requests.some((request) => request.kind === 'deposit');
  if (!open || !begun) return null;
  const amount = underWay(deal, open.currency).reduce((left, one) => restOf(left, one, open.currency), open.amount);
  return Number(amount) > 0 ? { ...open, amount } : null;
}

/**
 * Returns the amounts in the currency that banks are transferring.
 * @param {import('../types.d.ts').Deal} deal
 * @param {string} currency
 */
function underWay(deal, currency) {
  const here = deal.requests.filter((request) => request.state === 'processing' && request.currency === currency);
  return here.map((request) => request.amount);
}

/**
 * Returns the amount for the chosen kind, a decimal string; '' if there is none.
 * @param {{kind: string, currency: string, percent: string}} values
 * @param {import('../types.d.ts').Deal} deal
 * @param {string} total the deal's budget or typed total, '' if there is none
 */
export function suggestedAmount({ kind, currency, percent }, deal, total) {
  if (kind === 'rest') return restOpen(deal)?.amount ?? '';
  if (!total) return '';
  if (kind === 'deposit') return depositOf(total, percent, currency);
  const paid = deal.paid.find((money) => money.currency === currency);
  const left = paid && kind === 'full' ? restOf(total, paid.amount, currency) : total;
  return Number(left) > 0 ? left : '';
}

/**
 * Returns the deposit of a typed percentage, such as `33,3 %`; '' unless it is between 0 and 100.
 * @param {string} total
 * @param {string} typed
 * @param {string} currency
 */
function depositOf(total, typed, currency) {
  const percent = Number(typed.replace(',', '.').replace('%', '').trim());
  return percent > 0 && percent <= 100 ? shareOf(total, percent, currency) : '';
}

/** Returns the newest link that the client can pay already. @param {import('../types.d.ts').Deal} deal */
export function waitingLink(deal) {
  return deal.requests.find((request) => request.state === 'pending') ?? null;
}
