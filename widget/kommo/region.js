// @ts-check

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** @type {Map<string, string>} */
const found = new Map();

/**
 * Returns the country of a time zone, from the browser's data; nothing is guessed.
 * @param {string} zone such as "America/Mexico_City"
 * @returns {string} such as "MX"; '' if the browser does not know
 */
export function regionOf(zone) {
  if (!found.has(zone))
    found.set(zone, LETTERS.flatMap(regionsFrom).find((region) => zonesOf(region).includes(zone)) ?? '');
  return found.get(zone) ?? '';
}

/** Returns all two-letter codes with this first letter. @param {string} first */
function regionsFrom(first) {
  return LETTERS.map((second) => first + second);
}

/**
 * Returns the region's time zones.
 * @param {string} region
 * @returns {string[]}
 */
function zonesOf(region) {
  /** @type {any} */
  const place = new Intl.Locale('und', { region });
  return place.getTimeZones?.() ?? place.timeZones ?? [];
}
