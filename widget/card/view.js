// @ts-check

import { createdPanel } from '../form/link_created.js';
import { PaymentForm } from '../form/payment_form.js';
import { questionKey } from '../list/confirm_form.js';
import { dealList } from '../list/list.js';
import { badge, colourOf } from '../ui/badge.js';
import { el, focusKey, slot } from '../ui/dom.js';
import { breakableAmount, withAmounts } from '../ui/money.js';
import { footer } from './footer.js';
import { phaseNotice, setupButton } from './notices.js';
import { problemBeside, somethingMade } from './state.js';

/**
 * Returns the card's DOM. `paint` may be called any number of times: each part changes only when its data changed, and
 * the form's inputs are kept while it is open.
 * @param {HTMLElement} root
 * @param {{words: import('../types.d.ts').Words, lang: string, leadId: number, message: string, admin: boolean, actions: import('./controller.js').Actions}} props
 */
export function createView(root, props) {
  const { words, lang } = props;
  const place = (/** @type {string} */ name) => el('div', { class: `dealpay-${name}` });
  const nodes = { head: place('head'), main: place('main'), list: place('list'), foot: place('foot') };
  const voice = el('p', { class: 'dealpay-voice', role: 'status' });
  root.replaceChildren(nodes.head, nodes.main, nodes.list, nodes.foot, voice);
  const slots = { head: slot(nodes.head), main: slot(nodes.main), list: slot(nodes.list), foot: slot(nodes.foot) };
  /** @type {PaymentForm | null} */
  let form = null;

  /** @param {import('./state.js').State} state */
  const paint = (state) => {
    const { phase, deal, draft, created, code, contacts } = state;
    const ready = phase === 'ready' && deal !== null;
    slots.head([phase, deal, !draft, !created, state.problem?.message, state.slow], () =>
      ready ? summary(state, deal, words, lang) : phaseNotice(state, props),
    );
    const question = state.question?.id === created?.id ? state.question : null;
    const idle = ['begin', deal?.may, deal?.connected, deal && nothingWaits(deal)];
    const shows = !ready
      ? ''
      : draft
        ? draft.requestId
        : created
          ? [created, questionKey(question), code, contacts]
          : idle;
    slots.main(shows, () => {
      form = null;
      if (!ready) return [];
      if (draft) {
        form = new PaymentForm(draft, deal, props);
        return [form.node];
      }
      return created ? [createdPanel(created, { question, contacts, code }, props)] : [beginButton(deal, props)];
    });
    if (draft) form?.show(draft);
    slots.list([ready && deal, state.created?.id, questionKey(state.question), code, contacts], () =>
      ready ? dealList(state, props) : [],
    );
    const problem = problemBeside(state);
    const footerKey = [state.checking, state.loadedAt, problem?.message, problem?.code, state.outdated];
    slots.foot([ready, deal?.statement_url, deal?.may?.payments, ...footerKey], () =>
      ready ? footer(state, props) : [],
    );
  };

  return {
    paint,
    focus: (/** @type {string} */ key) => focusKey(root, key),
    focusForm: () => form?.focus(),
    focusFault: () => form?.focusFault(),
    announce: (/** @type {string} */ text) => {
      voice.textContent = text;
    },
  };
}

/**
 * Returns the deal's state. Hidden above a new link: a load a moment later would move the link from under the pointer.
 * @param {import('./state.js').State} state
 * @param {import('../types.d.ts').Deal} deal
 * @param {import('../types.d.ts').Words} words
 * @param {string} lang
 */
function summary({ draft, created }, deal, words, lang) {
  const explanation = withAmounts(deal.explanation ?? '', lang);
  const test =
    deal.mode === 'test' && el('span', { class: 'dealpay-badge dealpay-badge-orange', text: words('card.test') });
  const tag =
    deal.mode === 'test' &&
    deal.test_tag &&
    el('p', { class: 'dealpay-small dealpay-muted', text: words('card.test_tag', { tag: deal.test_tag }) });
  const log = created ? [] : (deal.log ?? []).map((text) => el('p', { class: 'dealpay-small dealpay-muted', text }));
  if (created || !somethingMade(deal)) {
    const idle = !draft && !created && deal.may?.create !== false;
    return [
      test && el('p', { class: 'dealpay-row' }, test),
      !created && tag,
      idle && el('p', { class: 'dealpay-muted', text: explanation || words('card.empty') }),
      ...log,
    ];
  }
  return [
    el('p', { class: 'dealpay-row' }, badge(deal.state, words), test),
    tag,
    ...deal.expected.map((expected) => progress(deal, expected, words, lang)),
    explanation && el('p', { class: `dealpay-why dealpay-why-${colourOf(deal.state)}`, text: explanation }),
    ...log,
  ];
}

/**
 * Returns the bar of one currency: received of expected.
 * @param {import('../types.d.ts').Deal} deal
 * @param {import('../types.d.ts').Amount} expected
 * @param {import('../types.d.ts').Words} words
 * @param {string} lang
 */
function progress(deal, expected, words, lang) {
  const paid = deal.paid.find((money) => money.currency === expected.currency) ?? {
    ...expected,
    amount: expected.amount.replace(/\d+/, '0').replace(/\.\d+/, (cents) => cents.replace(/\d/g, '0')),
  };
  const share = Number(expected.amount) > 0 ? Math.min(1, Number(paid.amount) / Number(expected.amount)) : 0;
  const bar = el('span', { class: 'dealpay-bar-fill' });
  bar.style.width = `${Math.round(share * 100)}%`;
  return el(
    'div',
    { class: 'dealpay-progress' },
    el('strong', { class: 'dealpay-sum', text: breakableAmount(paid, lang) }),
    el('span', { class: 'dealpay-muted', text: words('card.paid_of', { total: breakableAmount(expected, lang) }) }),
    el('span', { class: 'dealpay-bar', 'aria-hidden': 'true' }, bar),
  );
}

/**
 * Whether asking for money is the next step: no link waits, and not everything is paid.
 * @param {import('../types.d.ts').Deal} deal
 */
function nothingWaits(deal) {
  return deal.state !== 'paid' && !deal.requests.some(({ state }) => state === 'pending' || state === 'processing');
}

/**
 * Returns the button that opens the form, or the reason why there is none.
 * @param {import('../types.d.ts').Deal} deal
 * @param {{words: import('../types.d.ts').Words, admin: boolean, actions: import('./controller.js').Actions}} props
 */
function beginButton(deal, { words, admin, actions }) {
  if (deal.connected === false) return admin && setupButton(words, actions);
  if (deal.may?.create === false) return el('p', { class: 'dealpay-muted', text: words('card.may_not_create') });
  return el('button', {
    type: 'button',
    class: `dealpay-button${nothingWaits(deal) ? ' dealpay-button-blue' : ''}`,
    'data-key': 'begin',
    text: words('card.create'),
    on: { click: () => actions.form.begin() },
  });
}
