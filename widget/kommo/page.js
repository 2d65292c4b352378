// @ts-check
import { BUILD } from '../build.js';
import { formatAmount } from '../ui/money.js';
import { regionOf } from './region.js';

/** Reads of Kommo's page. Always read anew: the page changes deals without a reload. */

/** Id of the open deal, 0 while it is not saved, null where no card is open. */
export function openLeadId() {
  const card = APP.data.current_card;
  return card ? Number(card.id) || 0 : null;
}

/** The deal's budget as the card shows it, typed but unsaved included; digits and separators only. */
export function budget() {
  return cardField('lead[PRICE]').replace(/[^\d.,]/g, '');
}

export function dealName() {
  return cardField('lead[NAME]').trim();
}

/** @param {string} name */
function cardField(name) {
  const card = APP.data.current_card;
  const held = card ? card.model?.attributes?.[name] : undefined;
  if (held !== undefined && held !== null) return String(held);
  const input = document.querySelector(`[name="${name}"]`);
  return input instanceof HTMLInputElement || input instanceof HTMLTextAreaElement ? input.value : '';
}

export function language() {
  return APP.lang_id || 'en';
}

/**
 * The language with the region in which this browser's user reads it, else with the country of the account's time zone:
 * amounts and dates are written by it.
 */
export function locale() {
  const lang = language();
  const isHere = (/** @type {string} */ tag) =>
    tag.toLowerCase().startsWith(`${lang.toLowerCase()}-`) && /^-(?:[A-Z]{2}|419)$/i.test(tag.slice(lang.length));
  return navigator.languages?.find(isHere) ?? withRegion(lang, regionOf(APP.constant('account')?.timezone ?? ''));
}

/**
 * @param {string} lang
 * @param {string} region
 */
function withRegion(lang, region) {
  return region && /^[a-z]{2,3}$/i.test(lang) ? `${lang}-${region}` : lang;
}

/** Only decides what is offered; the backend asks Kommo for itself. */
export function isAdmin() {
  const rights = APP.constant('user_rights');
  return Boolean(rights?.is_admin);
}

/**
 * A user's name: Kommo's page knows those of its users by their ids.
 * @param {string | number | null | undefined} user a name, or an id
 */
export function userName(user) {
  const known = user ? APP.constant('managers')?.[String(user)]?.title : '';
  return known || (/^\d*$/.test(String(user ?? '')) ? '' : String(user));
}

/**
 * Kommo loads no style of ours, so the script brings it: one element in the page, whatever is opened and closed.
 */
export function ensureStyle() {
  const id = 'dealpay-style';
  const present = document.getElementById(id);
  if (present?.dataset.version === BUILD.version) return;
  present?.remove();
  const style = document.createElement('style');
  style.id = id;
  style.dataset.version = BUILD.version;
  style.textContent = BUILD.style;
  document.head.append(style);
}

/**
 * @param {import('../types.d.ts').KommoWidget} widget
 * @returns {import('../types.d.ts').Words}
 */
export function wordsOf(widget) {
  return (key, values = {}) => {
    // Groups are what Kommo documents; that dotted keys work too is only seen in a sample.
    const [group, name] = key.split('.');
    const text = widget.i18n(group)?.[name] || key;
    return text.replace(/\{(\w+)\}/g, (whole, place) => values[place] ?? whole);
  };
}

/**
 * The backend's own sentence; ours where it sent none, or where we have one in the language of the page.
 * @param {import('../api.js').ApiError} error
 * @param {import('../types.d.ts').Words} words
 */
export function sentenceOf({ code, message, limit }, words) {
  const key = `error.${code}`;
  const ours = words(key, limit ? { limit: formatAmount(limit, locale()) } : {});
  const whole = ours !== key && !ours.includes('{limit}');
  if (whole && (!message || language() !== 'en')) return ours;
  return message || words('error.unreachable');
}
