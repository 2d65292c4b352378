// @ts-check
import { el } from './dom.js';
import { sentenceOf } from './page.js';

/**
 * @param {import('./state.js').State} state
 * @param {{words: import('./types').Words, actions: import('./deal.js').DealCard, admin: boolean}} given
 */
export function phaseNotice({ phase, problem }, { words, actions, admin }) {
  if (phase === 'loading') return [skeleton(words)];
  const told = problem && (problem.message || problem.code === 'no_token');
  const said = told && el('p', { class: 'dealpay-muted', text: sentenceOf(problem, words) });
  const title = el('p', { class: 'dealpay-title', text: words(`phase.${phase}`) });
  const hint = el('p', { class: 'dealpay-muted', text: words(`phase.${phase}_hint`) });
  if (phase === 'unsaved') return [title, hint];
  const again = el('button', {
    type: 'button',
    class: 'dealpay-button',
    'data-key': 'retry',
    text: words('card.retry'),
    on: { click: () => actions.retry() },
  });
  const setup = phase === 'disconnected' && admin && setupButton(words, actions);
  return [el('div', { role: phase === 'failed' ? 'alert' : null }, title, said || hint), setup, again];
}

/**
 * @param {import('./types').Words} words
 * @param {import('./deal.js').DealCard} actions
 */
export function setupButton(words, actions) {
  return el('button', {
    type: 'button',
    class: 'dealpay-button dealpay-button-blue',
    text: words('setup.open'),
    on: { click: () => actions.setup() },
  });
}

/** @param {import('./types').Words} words */
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
