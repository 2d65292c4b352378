// @ts-check
import { locale, sentenceOf } from '../kommo/page.js';
import { el, ownKeys, slot } from '../ui/dom.js';
import { formatAmount } from '../ui/money.js';

/** @typedef {Pick<import('./controller.js').BulkController, 'close' | 'look' | 'choose' | 'begin'>} BulkActions */
/** @typedef {{words: import('../types.d.ts').Words, cut: boolean, actions: BulkActions}} BulkProps */

/**
 * The window over Kommo's list: the browser's own dialog, so that the focus stays in it and Esc leaves it.
 * @param {BulkProps} props
 */
export function bulkView(props) {
  const { words, actions } = props;
  const close = el('button', {
    type: 'button',
    class: 'dealpay-link dealpay-close',
    'aria-label': words('bulk.close'),
    text: '×',
    on: { click: () => actions.close() },
  });
  const title = el('h2', { class: 'dealpay-title', id: 'dealpay-bulk-title', text: words('bulk.title') });
  const main = el('div', { class: 'dealpay-main' });
  const voice = el('p', { class: 'dealpay-voice', role: 'status' });
  const look = { class: 'dealpay dealpay-window', 'aria-labelledby': 'dealpay-bulk-title' };
  const head = el('div', { class: 'dealpay-row' }, title, close);
  const dialog = /** @type {HTMLDialogElement} */ (el('dialog', look, head, main, voice));
  ownKeys(dialog, () => actions.close());
  dialog.addEventListener('close', () => actions.close());
  document.body.append(dialog);
  dialog.showModal();
  const place = slot(main);
  return {
    remove: () => dialog.remove(),
    /** @param {import('./controller.js').BulkState} state */
    paint(state) {
      // Not at the tick: the list would lose its place.
      place({ ...state, send: null, problem: state.problem?.message ?? state.problem?.code }, () =>
        bulkContent(state, props),
      );
      if (!dialog.contains(document.activeElement)) close.focus();
      const heard = bulkSaid(state, words);
      if (voice.textContent !== heard) voice.textContent = heard;
    },
  };
}

/** What a person hears when the window changes. @param {import('./controller.js').BulkState} state @param {import('../types.d.ts').Words} words */
function bulkSaid({ phase, progress }, words) {
  if (phase === 'loading') return words('bulk.loading');
  if (phase === 'running') return words('bulk.running');
  return phase === 'finished' && progress ? bulkOutcome(progress, words) : '';
}

/** @param {import('./controller.js').BulkState} state @param {BulkProps} props */
function bulkContent(state, props) {
  const { words, actions } = props;
  const { phase, progress, problem } = state;
  const alert = problem && el('p', { class: 'dealpay-alert', role: 'alert', text: sentenceOf(problem, words) });
  if (phase === 'empty') return [el('p', { class: 'dealpay-muted', text: words('bulk.empty') })];
  if (phase === 'loading')
    return [el('p', { class: 'dealpay-muted dealpay-busy', text: words('bulk.loading') }), alert];
  if (phase === 'failed') return [alert, bulkButton('again', words('card.retry'), false, () => actions.look())];
  if (progress) return [...bulkProgressLines(state, progress, words), alert, ...bulkEnd(phase, props)];
  return [...bulkPreview(state, props), alert, ...bulkConfirmation(state, props)];
}

/** @param {import('./controller.js').BulkState} state @param {BulkProps} props */
function bulkPreview({ rows }, { words, cut }) {
  if (rows.length === 0) return [el('p', { class: 'dealpay-muted', text: words('bulk.none_yours') })];
  return [
    el('p', { class: 'dealpay-small dealpay-muted', text: words('bulk.intro') }),
    cut && el('p', { class: 'dealpay-small', text: words('bulk.cut') }),
    el(
      'ul',
      { class: 'dealpay-rows dealpay-scroll', tabindex: '0', 'aria-labelledby': 'dealpay-bulk-title' },
      ...rows.map(bulkRow),
    ),
  ];
}

/** @param {import('./controller.js').BulkRow} row */
function bulkRow({ name, amount, why }) {
  const [sum, currency] = amount.split(' ');
  return el(
    'li',
    { class: 'dealpay-entry' },
    el(
      'div',
      { class: 'dealpay-row' },
      el('span', { class: 'dealpay-wrap', dir: 'auto', text: name }),
      amount && el('strong', { class: 'dealpay-amount', text: formatAmount({ amount: sum, currency }, locale()) }),
    ),
    why && el('p', { class: 'dealpay-small dealpay-muted', text: why }),
  );
}

/** @param {import('./controller.js').BulkState} state @param {BulkProps} props */
function bulkConfirmation({ phase, rows, send }, { words, actions }) {
  const count = rows.filter((one) => one.amount).length;
  if (count === 0) return rows.length ? [el('p', { text: words('bulk.nothing') })] : [];
  const isBusy = phase === 'sending';
  const tick = /** @type {HTMLInputElement} */ (
    el('input', { type: 'checkbox', 'data-key': 'send', checked: send, disabled: isBusy })
  );
  tick.addEventListener('change', () => actions.choose(tick.checked));
  const label = words(isBusy ? 'bulk.sending' : 'bulk.ask', { count: String(count) });
  const ask = bulkButton('ask', label, true, () => actions.begin());
  if (isBusy) ask.setAttribute('aria-disabled', 'true');
  return [el('label', { class: 'dealpay-rule-tick' }, tick, el('span', { text: words('bulk.send') })), ask];
}

/**
 * @param {import('./controller.js').BulkState} state
 * @param {import('./controller.js').BulkProgress} progress
 * @param {import('../types.d.ts').Words} words
 */
function bulkProgressLines({ phase }, progress, words) {
  const done = progress.total - progress.left;
  const values = { done: String(done), total: String(progress.total) };
  const fill = el('span', { class: 'dealpay-bar-fill' });
  fill.style.width = `${progress.total ? Math.round((100 * done) / progress.total) : 100}%`;
  const bar = {
    role: 'progressbar',
    'aria-valuemin': '0',
    'aria-valuemax': values.total,
    'aria-valuenow': values.done,
  };
  return [
    el('p', { class: phase === 'running' ? 'dealpay-busy' : '', text: words('bulk.progress', values) }),
    el('div', { class: 'dealpay-bar', 'aria-label': words('bulk.title'), ...bar }, fill),
    el('p', { class: 'dealpay-small', text: phase === 'running' ? words('bulk.leave') : bulkOutcome(progress, words) }),
  ];
}

/** @param {import('./controller.js').BulkState['phase']} phase @param {BulkProps} props */
function bulkEnd(phase, { words, actions }) {
  if (phase !== 'finished') return [];
  return [bulkButton('done', words('created.done'), true, () => actions.close())];
}

/** @param {import('./controller.js').BulkProgress} progress @param {import('../types.d.ts').Words} words */
function bulkOutcome({ asked, not_asked }, words) {
  const made = words('bulk.asked', { count: String(asked) });
  return not_asked ? `${made} ${words('bulk.not_asked', { count: String(not_asked) })}` : made;
}

/** @param {string} key @param {string} text @param {boolean} isBlue @param {() => void} click */
function bulkButton(key, text, isBlue, click) {
  const look = `dealpay-button${isBlue ? ' dealpay-button-blue' : ''}`;
  return el('button', { type: 'button', class: look, 'data-key': key, text, on: { click } });
}
