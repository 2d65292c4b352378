// @ts-check
import { ApiError } from '../api.js';
import { BUILD } from '../build.js';
import { sentenceOf } from '../kommo/page.js';
import { el } from '../ui/dom.js';
import { openTab } from '../ui/new_tab.js';

/**
 * Returns the panel of the settings window and the widget's page: what the widget does, and the button to the set-up
 * pages.
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 * @param {string[]} notes
 */
export function setupPanel(api, words, notes) {
  const status = el('p', { class: 'dealpay-small dealpay-said', role: 'status' });
  const button = el('button', {
    type: 'button',
    class: 'dealpay-button dealpay-button-blue',
    text: words('setup.open'),
  });
  button.addEventListener('click', () =>
    openSetup(api, words, (text) => {
      status.textContent = text;
    }),
  );
  return el(
    'div',
    { class: 'dealpay dealpay-setup' },
    el('p', { class: 'dealpay-title', text: words('setup.title') }),
    el('p', { class: 'dealpay-muted', text: words('setup.intro') }),
    button,
    status,
    el('p', { class: 'dealpay-small dealpay-muted', text: words('setup.address', { address: BUILD.backend }) }),
    ...notes.map((note) => el('p', { class: 'dealpay-muted', text: note })),
  );
}

/**
 * Opens the set-up pages in a new tab by a single-use address; `say` gets the progress.
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 * @param {(text: string) => void} say
 */
export async function openSetup(api, words, say) {
  const opened = openTab(api.setup());
  say(words('setup.opening'));
  try {
    say(words((await opened) ? 'setup.opened' : 'setup.blocked'));
  } catch (error) {
    say(error instanceof ApiError ? sentenceOf(error, words) : words('error.internal'));
  }
}
