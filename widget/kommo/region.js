// @ts-check

/** The country of a time zone, by what the browser knows; where it knows nothing, nothing is guessed. */

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** @type {Map<string, string>} */
const found = new Map();

/**
 * @param {string} zone as "America/Mexico_City"
 * @returns {string} as "MX"; empty where the browser can't say
 */
export function regionOf(zone) {
  if (!found.has(zone))
    found.set(zone, LETTERS.flatMap(regionsFrom).find((region) => zonesOf(region).includes(zone)) ?? '');
  return found.get(zone) ?? '';
}

/** @param {string} first */
function regionsFrom(first) {
  return LETTERS.map((second) => first + second);
}

/**
 * @param {string} region
 * @returns {string[]}
 */
function zonesOf(region) {
  /** @type {any} */
  const place = new Intl.Locale('und', { region });
  return place.getTimeZones?.() ?? place.timeZones ?? [];
}
