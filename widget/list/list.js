// @ts-check

import { userName } from '../kommo/page.js';
import { named } from '../send/names.js';
import { codeFold, sendLinks } from '../send/row.js';
import { badge } from '../ui/badge.js';
import { copyingButton, previewLink } from '../ui/copy_buttons.js';
import { el } from '../ui/dom.js';
import { day, daysOf, facts, line } from './amount_line.js';
import { cancelQuestion, sendQuestion } from './confirm_form.js';
import { paymentRow } from './payment_row.js';
import { nextReminder, pastReminders, reminderStop } from './reminders.js';

/** A failed link can still be paid: with another card, or after a bank declined. */
const LIVE = ['pending', 'processing', 'failed'];

/**
 * @typedef {{words: import('../types.d.ts').Words, lang: string, message: string,
 *   actions: import('../card/controller.js').Actions}} ListProps
 */

/**
 * Returns the deal's list: waiting links, payments, and closed links behind a fold. A request whose payment is listed
 * is left out.
 * @param {import('../card/state.js').State} state
 * @param {ListProps} props
 */
export function dealList(state, props) {
  const deal = /** @type {import('../types.d.ts').Deal} */ (state.deal);
  const paidFor = new Set(deal.payments.map((payment) => payment.request_id));
  const others = deal.requests.filter((request) => !paidFor.has(request.id) && request.id !== state.created?.id);
  const waiting = others.filter((request) => LIVE.includes(request.state));
  const settled = others.filter((request) => request.state === 'paid');
  const earlier = others.filter((request) => !LIVE.includes(request.state) && request.state !== 'paid');
  const toggle = (/** @type {Event} */ event) =>
    props.actions.unfold(/** @type {HTMLDetailsElement} */ (event.target).open);
  return [
    ...group(
      props.words('list.links'),
      waiting.map((request) => requestRow(request, state, props)),
    ),
    reminderStop(deal, props),
    ...group(props.words('list.payments'), [
      ...deal.payments.map((payment) => paymentRow(payment, state, props)),
      ...settled.map((request) => requestRow(request, state, props)),
    ]),
    earlier.length > 0 &&
      el(
        'details',
        { class: 'dealpay-fold', open: state.unfolded, on: { toggle } },
        el('summary', { class: 'dealpay-fold-title', text: `${props.words('list.earlier')} (${earlier.length})` }),
        el('ul', { class: 'dealpay-rows' }, ...earlier.map((request) => requestRow(request, state, props))),
      ),
  ];
}

/**
 * Returns a titled list, nothing without rows.
 * @param {string} title
 * @param {HTMLElement[]} rows
 */
function group(title, rows) {
  if (rows.length === 0) return [];
  return [el('h3', { class: 'dealpay-group', text: title }), el('ul', { class: 'dealpay-rows' }, ...rows)];
}

/**
 * Returns the row of a request.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../card/state.js').State} state
 * @param {ListProps} props
 */
function requestRow(request, state, props) {
  const { words, lang } = props;
  const kind = request.mode === 'subscription' ? 'subscription' : request.kind;
  const question = state.question?.id === request.id ? state.question : null;
  return el(
    'li',
    { class: 'dealpay-entry' },
    line(request, badge(request.state, words), lang),
    el('p', { class: 'dealpay-small dealpay-cut', dir: 'auto', text: request.description, title: request.description }),
    facts(words(`kind.${kind}`), day(request.created_at, lang), userName(request.created_by)),
    LIVE.includes(request.state) && daysOf(request, state.deal?.new_dates?.today, props),
    request.opened && request.state === 'pending' && el('p', { class: 'dealpay-small', text: words('list.opened') }),
    ...sendingLines(request, state, lang),
    ...(LIVE.includes(request.state) ? pastReminders(request, state, props) : []),
    ...(LIVE.includes(request.state) ? openEnds(request, question, state, props) : []),
  );
}

/**
 * Returns the lines of a link's sendings: when, by whom or which rule, and their progress.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../card/state.js').State} state
 * @param {string} lang
 */
function sendingLines(request, { deal }, lang) {
  const mine = (deal?.sendings ?? []).filter((one) => one.request_id === request.id);
  return mine.map((one) => facts(day(one.at, lang), userName(one.by) || one.rule, one.text));
}

/**
 * Whether the link can be sent or cancelled: not while a bank transfer is in progress.
 * @param {import('../types.d.ts').PaymentRequest} request
 */
function isSent({ state }) {
  return state !== 'processing';
}

/**
 * Returns the actions of a link that the client may still pay.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../card/state.js').Question | null} question
 * @param {import('../card/state.js').State} state
 * @param {ListProps} props
 */
function openEnds(request, question, state, props) {
  if (question) return [question.what === 'send' ? sendQuestion(question, props) : cancelQuestion(question, props)];
  return [
    rowActions(request, state, props),
    nextReminder(request, state, props),
    isSent(request) && codeFold(request, state.code, props),
  ];
}

/**
 * Returns the buttons and links of a request.
 * @param {import('../types.d.ts').PaymentRequest} request
 * @param {import('../card/state.js').State} state
 * @param {ListProps} props
 */
function rowActions(request, { contacts }, props) {
  const { words, actions } = props;
  const cancel = el('button', {
    type: 'button',
    class: 'dealpay-link',
    'data-key': `cancel-${request.id}`,
    text: words('list.cancel'),
    on: { click: () => actions.confirm.cancel(request.id) },
  });
  const send = el('button', {
    type: 'button',
    class: 'dealpay-link',
    'data-key': `send-${request.id}`,
    text: words('send.now'),
    on: { click: () => actions.confirm.send(request.id) },
  });
  const copy = { words, key: `copy-${request.id}`, label: words('list.copy'), text: request.url };
  const own = [copyingButton(copy), previewLink(request, props, 'dealpay-link')];
  for (const one of [...own, send, cancel]) one.setAttribute('aria-label', named(one, request, props));
  const more = isSent(request) ? [send, ...sendLinks(request, contacts, props), cancel] : [];
  return el('p', { class: 'dealpay-actions' }, ...own, ...more);
}
