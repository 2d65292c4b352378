// @ts-check

const LONG = 5000;

/**
 * Whether something takes so long that a user wants to read that it is in progress.
 * @param {number} since milliseconds since the epoch
 */
export function isLong(since) {
  return Date.now() - since > LONG;
}
