// @ts-check

import { formatAmount } from '../ui/money.js';

/**
 * Returns a button's accessible name with its link: "Copy: link for €600.00, Website".
 * @param {HTMLElement} button
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {{words: import('../types.d.ts').Words, lang: string}} props
 */
export function named(button, request, { words, lang }) {
  const { description } = request;
  const action = button.textContent ?? '';
  return words('name.link', { action, amount: formatAmount(request, lang), description });
}

/**
 * Returns a button's accessible name with its payment: "Refund: payment of €600.00".
 * @param {HTMLElement} button
 * @param {import('../types.d.ts').Payment} payment
 * @param {{words: import('../types.d.ts').Words, lang: string}} props
 */
export function namedOfPayment(button, payment, { words, lang }) {
  return words('name.payment', { action: button.textContent ?? '', amount: formatAmount(payment, lang) });
}
