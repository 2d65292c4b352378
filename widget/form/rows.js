// @ts-check
import { el } from '../ui/dom.js';
import { currencyOptions } from './currencies.js';
import { restOpen } from './defaults.js';

/** @typedef {{deal: import('../types.d.ts').Deal, chosen: string, lang: string, words: import('../types.d.ts').Words}} RowProps `chosen`: the first currency */

const SHARES = ['10', '30', '50'];
const INTERVALS = ['day', 'week', 'month', 'year'];
const NUMERIC = { inputmode: 'numeric' };
const MONEY = { inputmode: 'decimal', placeholder: '0' };

/**
 * Returns the form's rows by name; a refusal is shown below its row.
 * @param {import('./fields.js').Fields} fields
 * @param {RowProps} props
 */
export function formRows(fields, { deal, chosen, lang, words }) {
  /** @param {string[]} names whose refusals are shown here @param {...HTMLElement} nodes */
  const row = (names, ...nodes) => el('div', {}, ...nodes, ...names.map((name) => fields.faults[name]));
  return {
    kind: row(['kind'], fields.select('kind', 'kind', kinds(deal, words))),
    total: row(['deal_total'], fields.text('deal_total', 'total', MONEY)),
    share: row([], shares(fields)),
    amount: row(
      ['amount', 'currency'],
      pair(
        '',
        fields.text('amount', 'amount', MONEY),
        fields.select('currency', 'currency', currencyOptions(chosen, deal, lang)),
      ),
    ),
    repeat: row(
      ['interval_count', 'interval'],
      pair(
        'dealpay-pair-even',
        fields.text('interval_count', 'intervalCount', NUMERIC),
        fields.select(
          'interval',
          'interval',
          INTERVALS.map((name) => [name, words(`interval.${name}`)]),
        ),
      ),
    ),
    description: row(['description'], fields.text('description', 'description', { maxlength: '250', dir: 'auto' })),
    days: row(
      ['due_on', 'valid_until'],
      pair(
        'dealpay-pair-stacked',
        fields.text('due_on', 'dueOn', dayInput(deal)),
        fields.text('valid_until', 'validUntil', dayInput(deal)),
      ),
    ),
  };
}

/**
 * Returns the attributes of a date input that starts today in the account's time zone.
 * @param {import('../types.d.ts').Deal} deal
 */
function dayInput(deal) {
  return { type: 'date', min: deal.new_dates?.today };
}

/**
 * Updates the options to the count: "Every 1 month", "every 3 months".
 * @param {HTMLInputElement | HTMLSelectElement} select
 * @param {string} count as typed
 * @param {import('../types.d.ts').Words} words
 */
export function countIntervals(select, count, words) {
  const many = count.trim() === '1' ? '' : 's';
  for (const option of select.querySelectorAll('option')) option.textContent = words(`interval.${option.value}${many}`);
}

/**
 * Returns (value, text) of the kinds of payment on offer.
 * @param {import('../types.d.ts').Deal} deal
 * @param {import('../types.d.ts').Words} words
 * @returns {[string, string][]}
 */
function kinds(deal, words) {
  const offered = ['full', 'deposit', ...(restOpen(deal) ? ['rest'] : []), 'subscription'];
  return offered.map((name) => [name, words(`kind.${name}`)]);
}

/**
 * Returns the deposit's percentage: an input with buttons for usual values.
 * @param {import('./fields.js').Fields} fields
 */
function shares(fields) {
  const field = fields.text('percent', 'percent', { ...MONEY, maxlength: '6' });
  const chips = SHARES.map((percent) => {
    const click = () => fields.onChange('percent', percent);
    return el('button', {
      type: 'button',
      class: 'dealpay-chip',
      'data-percent': percent,
      text: `${percent}%`,
      on: { click },
    });
  });
  return el('div', { class: 'dealpay-shares' }, field, ...chips);
}

/**
 * @param {string} look
 * @param {...HTMLElement} fields
 */
function pair(look, ...fields) {
  return el('div', { class: `dealpay-pair ${look}`.trim() }, ...fields);
}
