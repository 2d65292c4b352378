// @ts-check
import { ApiError } from '../api.js';
import { BUILD } from '../build.js';
import { sentenceOf } from '../kommo/page.js';
import { el } from '../ui/dom.js';

/**
 * What the settings window shows and the widget's page: what it does, and the way to the set-up pages.
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 * @param {string} note
 */
export function setupPanel(api, words, note) {
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
    note && el('p', { class: 'dealpay-muted', text: note }),
  );
}

/**
 * Opens the set-up pages in a new tab. The tab is opened within the click, or the browser would block it, and led to
 * the single-use address when that has come.
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 * @param {(text: string) => void} say
 */
export async function openSetup(api, words, say) {
  const tab = window.open('', '_blank');
  say(words('setup.opening'));
  try {
    const { url } = await api.setup();
    if (!tab) {
      say(words('setup.blocked'));
      return;
    }
    tab.opener = null;
    tab.location.replace(url);
    say(words('setup.opened'));
  } catch (error) {
    tab?.close();
    say(error instanceof ApiError ? sentenceOf(error, words) : words('error.internal'));
  }
}
