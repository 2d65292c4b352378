// @ts-check

import { userName } from '../kommo/page.js';
import { namedOfPayment } from '../send/names.js';
import { badge } from '../ui/badge.js';
import { outside } from '../ui/copy_buttons.js';
import { el, webAddress } from '../ui/dom.js';
import { formatAmount } from '../ui/money.js';
import { day, facts, line } from './amount_line.js';
import { refundQuestion } from './confirm_form.js';

/**
 * Returns the row of a payment.
 * @param {import('../types.d.ts').Payment} payment
 * @param {import('../card/state.js').State} state
 * @param {import('./list.js').ListProps} props
 */
export function paymentRow(payment, state, props) {
  const { words, lang } = props;
  const deal = /** @type {import('../types.d.ts').Deal} */ (state.deal);
  const refunded = { amount: payment.refunded ?? '0', currency: payment.currency };
  const request = deal.requests.find((one) => one.id === payment.request_id);
  const question = state.question?.id === payment.id ? state.question : null;
  const doubt = payment.state === 'inquiry' ? 'inquiry' : payment.disputed;
  return el(
    'li',
    { class: 'dealpay-entry' },
    line(payment, badge(paymentState(payment), words), lang),
    request &&
      el('p', {
        class: 'dealpay-small dealpay-cut',
        dir: 'auto',
        text: request.description,
        title: request.description,
      }),
    facts(
      request && words(`kind.${kindOf(request)}`),
      payment.paid_at && day(payment.paid_at, lang),
      userName(request?.created_by),
    ),
    Number(refunded.amount) > 0 &&
      el('p', { class: 'dealpay-small', text: words('list.refunded', { amount: formatAmount(refunded, lang) }) }),
    doubt && el('p', { class: 'dealpay-small', text: disputeOf(doubt, words) }),
    el(
      'p',
      { class: 'dealpay-actions' },
      atStripe(payment, props),
      deal.may?.refund && refundable(payment) && !question && refundButton(payment, props),
    ),
    question && refundQuestion(question, props),
  );
}

/** @param {import('../types.d.ts').PaymentRequest} request */
function kindOf({ mode, kind }) {
  return mode === 'subscription' ? 'subscription' : kind;
}

/**
 * Returns a dispute's state in words; an unknown one (of a newer backend) as it is.
 * @param {string} state
 * @param {import('../types.d.ts').Words} words
 */
function disputeOf(state, words) {
  const label = words(`dispute.${state}`);
  return label.startsWith('dispute.') ? state : label;
}

/** @param {import('../types.d.ts').Payment} payment */
function refundable(payment) {
  const paid = paymentState(payment);
  return paid === 'paid' || paid === 'partially_refunded' || paid === 'inquiry';
}

/**
 * @param {import('../types.d.ts').Payment} payment
 * @param {import('./list.js').ListProps} props
 */
function refundButton(payment, props) {
  const button = el('button', {
    type: 'button',
    class: 'dealpay-link',
    'data-key': `refund-${payment.id}`,
    text: props.words('refund.ask'),
    on: { click: () => props.actions.confirm.refund(payment) },
  });
  button.setAttribute('aria-label', namedOfPayment(button, payment, props));
  return button;
}

/**
 * Returns the badge's state: dispute, inquiry, refund, or else the payment's own state.
 * @param {import('../types.d.ts').Payment} payment
 */
function paymentState(payment) {
  if (payment.disputed === 'open' || payment.disputed === 'lost') return 'disputed';
  if (payment.state === 'inquiry') return 'inquiry';
  const refunded = Number(payment.refunded ?? 0);
  if (refunded > 0) return refunded >= Number(payment.amount) ? 'refunded' : 'partially_refunded';
  return payment.state === 'succeeded' ? 'paid' : payment.state;
}

/**
 * Returns the link to the payment in Stripe's dashboard; without one, its id.
 * @param {import('../types.d.ts').Payment} payment
 * @param {import('./list.js').ListProps} props
 */
function atStripe(payment, props) {
  if (!webAddress(payment.stripe_url ?? '')) {
    return el('span', { class: 'dealpay-small dealpay-muted dealpay-cut', text: payment.id });
  }
  const link = outside(String(payment.stripe_url), props.words('list.at_stripe'), 'dealpay-link', true);
  link.setAttribute('aria-label', namedOfPayment(link, payment, props));
  link.title = payment.id;
  return link;
}
