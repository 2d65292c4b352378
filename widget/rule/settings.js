// @ts-check

/** @typedef {{amount: string, field_id: number | null, percent: number, kind: string, description: string, valid_days: number | null, hours: number, replace: boolean, channels: string[]}} RuleSettings */

const MOST_DAYS = 365;
const MOST_HOURS = 720;

/**
 * Returns the settings of the controls; an invalid number keeps its earlier value.
 * @param {HTMLElement} form
 * @param {RuleSettings} before
 * @returns {RuleSettings}
 */
export function readSettings(form, before) {
  const value = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement} */ (form.querySelector(`[name="dealpay_${name}"]`)).value.trim();
  const isTicked = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement} */ (form.querySelector(`[name="dealpay_${name}"]`)).checked;
  return {
    ...before,
    amount: value('amount'),
    field_id: number(value('field_id'), 1, Number.MAX_SAFE_INTEGER) ?? before.field_id,
    percent: number(value('percent'), 1, 100) ?? before.percent,
    kind: value('kind'),
    description: value('description') || '{deal}',
    valid_days: number(value('valid_days'), 1, MOST_DAYS),
    hours: number(value('hours'), 1, MOST_HOURS) ?? before.hours,
    replace: isTicked('replace'),
    channels: value('channels').split(' ').filter(Boolean),
  };
}

/**
 * Returns the number between both limits, null for other text.
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
function number(text, least, most) {
  const found = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  return found >= least && found <= most ? found : null;
}
