// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { copyingButton, openLink } from '../ui/copy_buttons.js';
import { el, webAddress } from '../ui/dom.js';
import { problemBeside, somethingMade } from './state.js';

/**
 * @typedef {{words: import('../types.d.ts').Words, lang: string, admin: boolean,
 *   actions: import('./controller.js').Actions}} FooterProps
 */

/**
 * Returns the card's footer: a problem, the client's statement of the deal, the time of the last load, and whether the
 * widget is outdated.
 * @param {import('./state.js').State} state
 * @param {FooterProps} props
 */
export function footer(state, props) {
  const { words, admin } = props;
  const { deal } = state;
  const problem = problemBeside(state);
  return [
    problem && el('p', { class: 'dealpay-alert', role: 'alert', text: sentenceOf(problem, words) }),
    statement(webAddress(deal?.statement_url ?? ''), words),
    deal && somethingMade(deal) && freshness(state, props),
    deal?.may?.payments && allPayments(props),
    admin && state.outdated && el('p', { class: 'dealpay-small dealpay-muted', text: words('card.outdated') }),
  ];
}

/** Returns the button for users of finance, who have no access to Kommo's settings. @param {FooterProps} props */
function allPayments({ words, actions }) {
  const open = el('button', {
    type: 'button',
    class: 'dealpay-link',
    'data-key': 'all-payments',
    text: words('setup.payments'),
    on: { click: () => actions.setup() },
  });
  return el('p', { class: 'dealpay-row dealpay-small' }, open);
}

/**
 * Returns the row with the statement's link, null without one.
 * @param {string | null} url
 * @param {import('../types.d.ts').Words} words
 */
function statement(url, words) {
  if (!url) return null;
  const copy = copyingButton({ words, key: 'copy-statement', label: words('list.copy'), text: url });
  const made = [copy, openLink(url, words, 'dealpay-link')];
  for (const one of made) one.setAttribute('aria-label', `${one.textContent}: ${words('list.statement')}`);
  return el(
    'p',
    { class: 'dealpay-row dealpay-small' },
    el('span', { class: 'dealpay-muted', text: words('list.statement') }),
    el('span', { class: 'dealpay-actions' }, ...made),
  );
}

/**
 * Returns the time of the last load and the button that checks with Stripe.
 * @param {import('./state.js').State} state
 * @param {FooterProps} props
 */
function freshness({ checking, loadedAt }, { words, lang, actions }) {
  const time = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit' }).format(new Date(loadedAt));
  const check = el('button', {
    type: 'button',
    class: `dealpay-link${checking ? ' dealpay-busy' : ''}`,
    'data-key': 'check',
    'aria-disabled': checking ? 'true' : null,
    text: words(checking ? 'card.checking' : 'card.check'),
    on: { click: () => actions.check() },
  });
  const updated = el('span', { class: 'dealpay-muted', text: words('card.updated', { time }) });
  return el('p', { class: 'dealpay-row dealpay-small' }, check, updated);
}
