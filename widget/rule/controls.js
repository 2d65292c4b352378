// @ts-check
import { el } from '../ui/dom.js';

const CHANNELS = ['', 'task', 'chat task', 'bot task', 'bot chat task'];

/** @typedef {{fields: {id: number, name: string}[], bots: boolean}} Choices */

/**
 * Returns the controls of a rule, in the order in which an administrator thinks of it.
 * @param {import('./settings.js').RuleSettings} settings
 * @param {Choices} choices
 * @param {import('../types.d.ts').Words} words
 */
export function ruleControls(settings, choices, words) {
  const say = (/** @type {string} */ name) => words(`rule.${name}`);
  const amounts = ['price', 'open', 'percent', ...(choices.fields.length ? ['field'] : [])];
  const fields = choices.fields.map((one) => option(String(one.id), one.name, String(settings.field_id)));
  const sends = CHANNELS.filter((one) => choices.bots || !one.includes('bot'));
  const chosen = settings.channels.join(' ');
  return [
    row(
      say('amount'),
      'amount',
      select(
        'amount',
        amounts.map((one) => option(one, say(`amount_${one}`), settings.amount)),
      ),
    ),
    row(say('field'), 'field_id', select('field_id', fields)),
    row(say('percent'), 'percent', text('percent', String(settings.percent), { inputmode: 'numeric', maxlength: '3' })),
    row(
      say('kind'),
      'kind',
      select(
        'kind',
        ['full', 'deposit'].map((one) => option(one, words(`kind.${one}`), settings.kind)),
      ),
    ),
    row(
      say('description'),
      'description',
      text('description', settings.description, { maxlength: '250', dir: 'auto' }),
    ),
    row(
      say('valid_days'),
      'valid_days',
      text('valid_days', settings.valid_days ? String(settings.valid_days) : '', {
        inputmode: 'numeric',
        maxlength: '3',
      }),
    ),
    row(
      say('channels'),
      'channels',
      select(
        'channels',
        sends.map((one) => option(one, say(`send_${one.replace(/ /g, '_') || 'nothing'}`), chosen)),
      ),
    ),
    row(say('hours'), 'hours', text('hours', String(settings.hours), { inputmode: 'numeric', maxlength: '3' })),
    el(
      'label',
      { class: 'dealpay-rule-row dealpay-rule-tick' },
      tick('replace', settings.replace),
      el('span', { text: say('replace') }),
    ),
  ];
}

/**
 * Shows only the rows that the chosen amount needs.
 * @param {HTMLElement} form
 * @param {import('./settings.js').RuleSettings} settings
 */
export function showNeeded(form, settings) {
  const needed = {
    field_id: settings.amount === 'field',
    percent: settings.amount === 'percent',
  };
  for (const [name, isNeeded] of Object.entries(needed)) {
    const shown = /** @type {HTMLElement | null} */ (form.querySelector(`[data-row="${name}"]`));
    if (shown) shown.hidden = !isNeeded;
  }
}

/** @param {string} label @param {string} name @param {HTMLElement} control */
function row(label, name, control) {
  return el(
    'label',
    { class: 'dealpay-rule-row', 'data-row': name },
    el('span', { class: 'dealpay-small', text: label }),
    control,
  );
}

/** @param {string} name @param {HTMLElement[]} options */
function select(name, options) {
  return el('select', { name: `dealpay_${name}`, class: 'dealpay-input' }, ...options);
}

/** @param {string} value @param {string} label @param {string} chosen */
function option(value, label, chosen) {
  return el('option', { value, text: label, selected: value === chosen });
}

/** @param {string} name @param {string} value @param {Record<string, string>} more */
function text(name, value, more) {
  return el('input', {
    type: 'text',
    name: `dealpay_${name}`,
    class: 'dealpay-input',
    value,
    autocomplete: 'off',
    ...more,
  });
}

/** @param {string} name @param {boolean} isTicked */
function tick(name, isTicked) {
  return el('input', { type: 'checkbox', name: `dealpay_${name}`, checked: isTicked });
}
