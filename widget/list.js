// @ts-check
import { badge } from './badge.js';
import { copyLink, openLink } from './created.js';
import { el, webAddress } from './dom.js';
import { formatAmount } from './money.js';
import { cancelQuestion, refundQuestion } from './question.js';

/** A failed link can still be paid: by another card, or after a bank's no. */
const LIVE = ['pending', 'processing', 'failed'];

/**
 * @typedef {{words: import('./types').Words, lang: string, actions: import('./deal.js').DealCard}} Given
 */

/**
 * Links that wait, payments, and behind a fold what came to nothing. A request whose payment is listed is not listed.
 * @param {import('./state.js').State} state
 * @param {Given} given
 */
export function dealList(state, given) {
  const deal = /** @type {import('./types').Deal} */ (state.deal);
  const paidFor = new Set(deal.payments.map((payment) => payment.request_id));
  const others = deal.requests.filter((request) => !paidFor.has(request.id) && request.id !== state.created?.id);
  const waiting = others.filter((request) => LIVE.includes(request.state));
  const settled = others.filter((request) => request.state === 'paid');
  const earlier = others.filter((request) => !LIVE.includes(request.state) && request.state !== 'paid');
  return [
    ...group(
      given.words('list.links'),
      waiting.map((request) => requestRow(request, state, given)),
    ),
    ...group(given.words('list.payments'), [
      ...deal.payments.map((payment) => paymentRow(payment, state, given)),
      ...settled.map((request) => requestRow(request, state, given)),
    ]),
    earlier.length > 0 &&
      el(
        'details',
        { class: 'dealpay-fold' },
        el('summary', { class: 'dealpay-fold-title', text: `${given.words('list.earlier')} (${earlier.length})` }),
        el('ul', { class: 'dealpay-rows' }, ...earlier.map((request) => requestRow(request, state, given))),
      ),
  ];
}

/**
 * @param {string} title
 * @param {HTMLElement[]} rows
 */
function group(title, rows) {
  if (rows.length === 0) return [];
  return [el('h3', { class: 'dealpay-group', text: title }), el('ul', { class: 'dealpay-rows' }, ...rows)];
}

/**
 * @param {import('./types').PaymentRequest} request
 * @param {import('./state.js').State} state
 * @param {Given} given
 */
function requestRow(request, state, given) {
  const { words, lang } = given;
  const kind = request.mode === 'subscription' ? 'subscription' : request.kind;
  const made = [day(request.created_at, lang), request.created_by].filter(Boolean).join(', ');
  const asked = state.asked?.id === request.id ? state.asked : null;
  return el(
    'li',
    { class: 'dealpay-entry' },
    line(request, badge(request.state, words), lang),
    el('p', { class: 'dealpay-small dealpay-cut', text: request.description, title: request.description }),
    el('p', { class: 'dealpay-small dealpay-muted', text: `${words(`kind.${kind}`)} · ${made}` }),
    request.opened &&
      request.state === 'pending' &&
      el('p', { class: 'dealpay-small dealpay-muted', text: words('list.opened') }),
    LIVE.includes(request.state) && (asked ? cancelQuestion(asked, given) : rowActions(request, given)),
  );
}

/**
 * @param {import('./types').PaymentRequest} request
 * @param {Given} given
 */
function rowActions(request, { words, actions }) {
  return el(
    'p',
    { class: 'dealpay-actions' },
    copyLink(request.url, request.id, words),
    openLink(request.url, words, 'dealpay-link'),
    request.state !== 'processing' &&
      el('button', {
        type: 'button',
        class: 'dealpay-link',
        'data-key': `cancel-${request.id}`,
        text: words('list.cancel'),
        on: { click: () => actions.askCancel(request.id) },
      }),
  );
}

/**
 * @param {import('./types').Payment} payment
 * @param {import('./state.js').State} state
 * @param {Given} given
 */
function paymentRow(payment, state, given) {
  const { words, lang } = given;
  const deal = /** @type {import('./types').Deal} */ (state.deal);
  const refunded = { amount: payment.refunded ?? '0', currency: payment.currency };
  const request = deal.requests.find((one) => one.id === payment.request_id);
  const asked = state.asked?.id === payment.id ? state.asked : null;
  return el(
    'li',
    { class: 'dealpay-entry' },
    line(payment, badge(paymentState(payment), words), lang),
    request && el('p', { class: 'dealpay-small dealpay-cut', text: request.description, title: request.description }),
    payment.paid_at && el('p', { class: 'dealpay-small dealpay-muted', text: day(payment.paid_at, lang) }),
    Number(refunded.amount) > 0 &&
      el('p', { class: 'dealpay-small', text: words('list.refunded', { amount: formatAmount(refunded, lang) }) }),
    payment.disputed && el('p', { class: 'dealpay-small', text: words(`dispute.${payment.disputed}`) }),
    el(
      'p',
      { class: 'dealpay-actions' },
      atStripe(payment, words),
      deal.may?.refund && refundable(payment) && !asked && refundButton(payment, given),
    ),
    asked && refundQuestion(asked, given),
  );
}

/** @param {import('./types').Payment} payment */
function refundable(payment) {
  const paid = paymentState(payment);
  return paid === 'paid' || paid === 'partially_refunded';
}

/**
 * @param {import('./types').Payment} payment
 * @param {Given} given
 */
function refundButton(payment, { words, actions }) {
  return el('button', {
    type: 'button',
    class: 'dealpay-link',
    'data-key': `refund-${payment.id}`,
    text: words('refund.ask'),
    on: { click: () => actions.askRefund(payment) },
  });
}

/**
 * What the badge says: a dispute before a refund before the payment's own state.
 * @param {import('./types').Payment} payment
 */
function paymentState(payment) {
  if (payment.disputed === 'open' || payment.disputed === 'lost') return 'disputed';
  const refunded = Number(payment.refunded ?? 0);
  if (refunded > 0) return refunded >= Number(payment.amount) ? 'refunded' : 'partially_refunded';
  return payment.state === 'succeeded' ? 'paid' : payment.state;
}

/**
 * The payment's id, as a link to Stripe's dashboard.
 * @param {import('./types').Payment} payment
 * @param {import('./types').Words} words
 */
function atStripe(payment, words) {
  const href = webAddress(payment.stripe_url ?? '');
  if (!href) return el('span', { class: 'dealpay-muted dealpay-id', text: payment.id });
  return el('a', {
    class: 'dealpay-link dealpay-id',
    href,
    target: '_blank',
    rel: 'noopener noreferrer',
    title: words('list.at_stripe'),
    text: payment.id,
  });
}

/**
 * @param {import('./types').Amount} money
 * @param {HTMLElement} state
 * @param {string} lang
 */
function line(money, state, lang) {
  return el(
    'p',
    { class: 'dealpay-row' },
    el('strong', { class: 'dealpay-amount', text: formatAmount(money, lang) }),
    state,
  );
}

/**
 * @param {string} time RFC 3339
 * @param {string} lang
 */
function day(time, lang) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const thisYear = date.getFullYear() === new Date().getFullYear();
  /** @type {Intl.DateTimeFormatOptions} */
  const shape = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
  return new Intl.DateTimeFormat(lang, thisYear ? shape : { ...shape, year: 'numeric' }).format(date);
}
