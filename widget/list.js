// @ts-check
import { badge } from './badge.js';
import { copyLink, openLink } from './created.js';
import { el } from './dom.js';
import { formatAmount } from './money.js';

const LIVE = ['pending', 'processing'];

/**
 * @typedef {{words: import('./types').Words, lang: string, actions: any}} Given
 */

/**
 * Links that wait, payments, and behind a fold what came to nothing. A request whose payment is listed is not listed.
 * @param {import('./deal.js').State} state
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
      ...deal.payments.map((payment) => paymentRow(payment, deal, given)),
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
 * @param {import('./deal.js').State} state
 * @param {Given} given
 */
function requestRow(request, state, { words, lang, actions }) {
  const kind = request.mode === 'subscription' ? 'subscription' : request.kind;
  const made = [day(request.created_at, lang), request.created_by].filter(Boolean).join(', ');
  const asked = state.cancelling?.id === request.id ? state.cancelling : null;
  return el(
    'li',
    { class: 'dealpay-entry' },
    line(request, badge(request.state, words), lang),
    el('p', { class: 'dealpay-small dealpay-cut', text: request.description, title: request.description }),
    el('p', { class: 'dealpay-small dealpay-muted', text: `${words(`kind.${kind}`)} · ${made}` }),
    LIVE.includes(request.state) && (asked ? question(asked, words, actions) : rowActions(request, words, actions)),
  );
}

/**
 * @param {import('./types').PaymentRequest} request
 * @param {import('./types').Words} words
 * @param {any} actions
 */
function rowActions(request, words, actions) {
  return el(
    'p',
    { class: 'dealpay-actions' },
    copyLink(request.url, request.id, words),
    openLink(request.url, words, 'dealpay-link'),
    request.state === 'pending' &&
      el('button', {
        type: 'button',
        class: 'dealpay-link',
        'data-key': `cancel-${request.id}`,
        text: words('list.cancel'),
        on: { click: () => actions.cancel(request.id) },
      }),
  );
}

/**
 * @param {{id: string, sending: boolean, problem: import('./api.js').ApiError | null}} asked
 * @param {import('./types').Words} words
 * @param {any} actions
 */
function question({ id, sending, problem }, words, actions) {
  const fault = problem && (problem.message || words('error.unreachable'));
  return el(
    'div',
    { class: 'dealpay-ask' },
    el('p', { class: 'dealpay-small', text: words('list.cancel_ask') }),
    fault && el('p', { class: 'dealpay-alert', role: 'alert', text: fault }),
    el(
      'div',
      { class: 'dealpay-buttons' },
      el('button', {
        type: 'button',
        class: 'dealpay-button dealpay-button-small dealpay-button-red',
        'data-key': `cancel-yes-${id}`,
        'aria-disabled': sending ? 'true' : null,
        text: words(sending ? 'list.cancelling' : 'list.cancel_yes'),
        on: { click: () => actions.cancel(id) },
      }),
      el('button', {
        type: 'button',
        class: 'dealpay-button dealpay-button-small',
        'data-key': `keep-${id}`,
        text: words('list.cancel_no'),
        on: { click: actions.keep },
      }),
    ),
  );
}

/**
 * @param {import('./types').Payment} payment
 * @param {import('./types').Deal} deal
 * @param {Given} given
 */
function paymentRow(payment, deal, { words, lang }) {
  const refunded = { amount: payment.refunded ?? '0', currency: payment.currency };
  const request = deal.requests.find((one) => one.id === payment.request_id);
  return el(
    'li',
    { class: 'dealpay-entry' },
    line(payment, badge(paymentState(payment), words), lang),
    request && el('p', { class: 'dealpay-small dealpay-cut', text: request.description, title: request.description }),
    payment.paid_at && el('p', { class: 'dealpay-small dealpay-muted', text: day(payment.paid_at, lang) }),
    Number(refunded.amount) > 0 &&
      el('p', { class: 'dealpay-small', text: words('list.refunded', { amount: formatAmount(refunded, lang) }) }),
    payment.disputed && el('p', { class: 'dealpay-small', text: words(`dispute.${payment.disputed}`) }),
    el('p', { class: 'dealpay-small' }, atStripe(payment, deal, words)),
  );
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
 * The payment's id, as a link to Stripe's dashboard where the mode is known.
 * @param {import('./types').Payment} payment
 * @param {import('./types').Deal} deal
 * @param {import('./types').Words} words
 */
function atStripe(payment, deal, words) {
  if (!deal.mode || !/^\w+$/.test(payment.id))
    return el('span', { class: 'dealpay-muted dealpay-id', text: payment.id });
  const href = `https://dashboard.stripe.com/${deal.mode === 'test' ? 'test/' : ''}payments/${payment.id}`;
  const title = words('list.at_stripe');
  return el('a', {
    class: 'dealpay-link dealpay-id',
    href,
    target: '_blank',
    rel: 'noopener noreferrer',
    title,
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
