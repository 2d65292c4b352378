// @ts-check
import { ApiError } from '../api.js';
import { sentenceOf } from '../kommo/page.js';
import { el } from '../ui/dom.js';
import { ruleControls, showNeeded } from './controls.js';
import { ownPlace, writeKey } from './place.js';
import { readSettings } from './settings.js';

/**
 * Shows the form of our action in a stage. The backend stores the choices and returns a key, which is all that Kommo
 * saves. A changed rule gets a new key, so *Cancel* in Kommo leaves the earlier rule in force.
 * @param {HTMLInputElement} input Kommo's, which holds the key
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 */
export async function showRuleForm(input, api, words) {
  const said = el('p', { class: 'dealpay-small dealpay-said', role: 'status', text: words('card.loading') });
  const form = el('div', { class: 'dealpay dealpay-rule' }, said);
  ownPlace(input).append(form);
  try {
    const [rule, choices] = await Promise.all([known(input, api), api.ruleChoices()]);
    let { settings } = rule;
    form.prepend(...ruleControls(settings, choices, words));
    showNeeded(form, settings);
    said.textContent = '';
    const keep = keeper(input, api, words, said, rule.own);
    form.addEventListener('change', (event) => {
      event.stopPropagation();
      settings = readSettings(form, settings);
      showNeeded(form, settings);
      keep(settings);
    });
  } catch (error) {
    said.textContent = sentence(error, words);
  }
}

/**
 * Returns the rule of the input's key; a new rule if the input is empty or names none of this account's.
 * @param {HTMLInputElement} input
 * @param {ReturnType<typeof import('../api.js').backend>} api
 */
async function known(input, api) {
  if (input.value) {
    try {
      return { ...(await api.rule(input.value)), own: false };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
  const made = await api.makeRule({});
  writeKey(input, made.key);
  return { ...made, own: true };
}

/**
 * Returns a function that sends the newest choices, one call after another. `own`: this form created the key.
 * @param {HTMLInputElement} input
 * @param {ReturnType<typeof import('../api.js').backend>} api
 * @param {import('../types.d.ts').Words} words
 * @param {HTMLElement} said
 * @param {boolean} own
 */
function keeper(input, api, words, said, own) {
  /** @type {import('./settings.js').RuleSettings | null} */
  let waiting = null;
  let isBusy = false;
  const send = async () => {
    isBusy = true;
    while (waiting) {
      said.textContent = words('rule.keeping');
      const settings = waiting;
      waiting = null;
      try {
        const body = { key: input.value, settings };
        const kept = await (own ? api.changeRule(body) : api.makeRule(body));
        own = true;
        writeKey(input, kept.key);
        said.textContent = words('rule.kept');
      } catch (error) {
        said.textContent = sentence(error, words);
      }
    }
    isBusy = false;
  };
  return (/** @type {import('./settings.js').RuleSettings} */ settings) => {
    waiting = settings;
    if (!isBusy) send();
  };
}

/** @param {unknown} error @param {import('../types.d.ts').Words} words */
function sentence(error, words) {
  return error instanceof ApiError ? sentenceOf(error, words) : words('error.internal');
}
