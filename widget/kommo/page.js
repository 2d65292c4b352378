// @ts-check
import { BUILD } from '../build.js';
import { formatAmount } from '../ui/money.js';
import { regionOf } from './region.js';

/** Reads from Kommo's page, never cached: the page changes deals without a reload. */

/** Returns the id of the open deal: 0 while it is not saved, null if no card is open. */
export function openLeadId() {
  const card = APP.data.current_card;
  return card ? Number(card.id) || 0 : null;
}

/** Returns the deal's budget as the card shows it, typed but unsaved included; digits and separators only. */
export function budget() {
  return cardField('lead[PRICE]').replace(/[^\d.,]/g, '');
}

/** Returns the deal's name as the card shows it. */
export function dealName() {
  return cardField('lead[NAME]').trim();
}

/** Returns a field of the open card, '' if there is none. @param {string} name */
function cardField(name) {
  const card = APP.data.current_card;
  const held = card ? card.model?.attributes?.[name] : undefined;
  if (held !== undefined && held !== null) return String(held);
  const input = document.querySelector(`[name="${name}"]`);
  return input instanceof HTMLInputElement || input instanceof HTMLTextAreaElement ? input.value : '';
}

/** Returns the language of Kommo's page. */
export function language() {
  return APP.lang_id || 'en';
}

/**
 * Returns the locale for amounts and dates: the page's language with the browser's region for it, else with the
 * country of the account's time zone.
 */
export function locale() {
  const lang = language();
  const isHere = (/** @type {string} */ tag) =>
    tag.toLowerCase().startsWith(`${lang.toLowerCase()}-`) && /^-(?:[A-Z]{2}|419)$/i.test(tag.slice(lang.length));
  return navigator.languages?.find(isHere) ?? withRegion(lang, regionOf(APP.constant('account')?.timezone ?? ''));
}

/**
 * Returns `lang` with the region, if both are known.
 * @param {string} lang
 * @param {string} region
 */
function withRegion(lang, region) {
  return region && /^[a-z]{2,3}$/i.test(lang) ? `${lang}-${region}` : lang;
}

/** Whether the user is an administrator. Only decides what is offered; the backend asks Kommo itself. */
export function isAdmin() {
  const rights = APP.constant('user_rights');
  return Boolean(rights?.is_admin);
}

/**
 * Returns a user's name: Kommo's page holds its users by id.
 * @param {string | number | null | undefined} user a name, or an id
 */
export function userName(user) {
  const known = user ? APP.constant('managers')?.[String(user)]?.title : '';
  return known || (/^\d*$/.test(String(user ?? '')) ? '' : String(user));
}

/** Adds our style sheet to the page once. Kommo loads none of a widget's styles, so the script brings it. */
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
 * Returns the function that gives a text by its dotted key with `{name}` placeholders filled in.
 * @param {import('../types.d.ts').KommoWidget} widget
 * @returns {import('../types.d.ts').Words}
 */
export function wordsOf(widget) {
  return (key, values = {}) => {
    // Kommo documents groups; dotted keys appear in a sample only.
    const [group, name] = key.split('.');
    const text = widget.i18n(group)?.[name] || key;
    return text.replace(/\{(\w+)\}/g, (whole, place) => values[place] ?? whole);
  };
}

/**
 * Returns an error's sentence: the backend's, or ours if it sent none or we have one in the page's language.
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
