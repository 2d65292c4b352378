// @ts-check
import { ApiError } from '../api.js';
import { sentenceOf } from '../kommo/page.js';
import { ownPlace, writeKey } from '../rule/place.js';
import { el } from '../ui/dom.js';

/**
 * Shows the setting "wait for the payment" of the step *Is it paid?*, if the account's bots may wait. Otherwise Kommo's
 * row stays hidden with the value that it has.
 * @param {HTMLInputElement} input Kommo's, which holds the hours; '' answers the bot at once
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 */
export async function showWait(input, api, words) {
  const place = ownPlace(input);
  place.className = 'dealpay dealpay-rule';
  try {
    const most = (await api.botWaits()).most_hours;
    if (most) place.append(hoursRow(input, most, words), note(words('step.wait_note', { most: String(most) })));
  } catch (error) {
    place.append(note(error instanceof ApiError ? sentenceOf(error, words) : words('error.internal')));
  }
}

/**
 * @param {HTMLInputElement} input
 * @param {number} most
 * @param {import('../types.d.ts').Words} words
 */
function hoursRow(input, most, words) {
  const shown = /** @type {HTMLInputElement} */ (
    el('input', {
      type: 'text',
      name: 'dealpay_wait_hours',
      class: 'dealpay-input',
      value: input.value,
      autocomplete: 'off',
      inputmode: 'numeric',
      maxlength: '2',
    })
  );
  shown.addEventListener('change', (event) => {
    event.stopPropagation();
    shown.value = hoursOf(shown.value, most);
    writeKey(input, shown.value);
  });
  const label = el('span', { class: 'dealpay-small', text: words('step.wait_hours') });
  return el('label', { class: 'dealpay-rule-row' }, label, shown);
}

/**
 * Returns the typed hours within the bounds; '' if it is no whole number above 0.
 * @param {string} typed
 * @param {number} most
 */
function hoursOf(typed, most) {
  const hours = /^[0-9]+$/.test(typed.trim()) ? Math.min(Number(typed), most) : 0;
  return hours ? String(hours) : '';
}

/** @param {string} text */
function note(text) {
  return el('p', { class: 'dealpay-small dealpay-said', role: 'status', text });
}
