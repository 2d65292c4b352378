// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { el } from '../ui/dom.js';

/**
 * Returns the card while there is no deal to show: loading, not saved, failed, disconnected or forbidden.
 * @param {import('./state.js').State} state
 * @param {{words: import('../types.d.ts').Words, actions: import('./controller.js').Actions, admin: boolean}} props
 */
export function phaseNotice({ phase, problem, slow }, { words, actions, admin }) {
  const muted = (/** @type {string} */ text) => el('p', { class: 'dealpay-muted', text });
  if (phase === 'loading') return [skeleton(words), slow && muted(words('card.slow'))];
  const hasReason = phase === 'failed' && problem && (problem.message || problem.code === 'no_token');
  const hint = phase === 'disconnected' && admin ? 'phase.disconnected_admin' : `phase.${phase}_hint`;
  const title = el('p', { class: 'dealpay-title', text: words(`phase.${phase}`) });
  const notice = [title, muted(hasReason ? sentenceOf(problem, words) : words(hint))];
  if (phase === 'unsaved') return [el('div', { class: 'dealpay-notice' }, ...notice)];
  const again = el('button', {
    type: 'button',
    class: 'dealpay-button',
    'data-key': 'retry',
    text: words('card.retry'),
    on: { click: () => actions.retry() },
  });
  const setup = phase === 'disconnected' && admin && setupButton(words, actions);
  const look = { class: 'dealpay-notice', role: phase === 'failed' ? 'alert' : null };
  return [el('div', look, ...notice), setup, again];
}

/**
 * Returns the button that opens the set-up pages.
 * @param {import('../types.d.ts').Words} words
 * @param {import('./controller.js').Actions} actions
 */
export function setupButton(words, actions) {
  return el('button', {
    type: 'button',
    class: 'dealpay-button dealpay-button-blue',
    text: words('setup.open'),
    on: { click: () => actions.setup() },
  });
}

/** Returns the placeholder shown while the deal loads. @param {import('../types.d.ts').Words} words */
function skeleton(words) {
  const bar = (/** @type {string} */ width) => el('span', { class: `dealpay-ghost dealpay-ghost-${width}` });
  return el(
    'div',
    { class: 'dealpay-loading', role: 'status' },
    el('span', { class: 'dealpay-voice', text: words('card.loading') }),
    bar('short'),
    bar('long'),
    bar('button'),
  );
}
