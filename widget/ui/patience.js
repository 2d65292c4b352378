// @ts-check

const LONG = 5000;

/**
 * Whether something takes so long that a person wants to read that it goes on.
 * @param {number} since
 */
export function isLong(since) {
  return Date.now() - since > LONG;
}
