// @ts-check
import { codewords } from './codewords.js';

/** Format information of level M with mask 0, check bits included, as the standard prints it. */
const FORMAT = 0x5412;

/** @typedef {(boolean | null)[][]} Grid rows of dark, light, or still free */

/**
 * Returns the QR code of a text as rows of booleans, true for dark; null above 180 bytes. The mask is always the
 * first: every mask is readable, and choosing one only helps poor cameras.
 * @param {string} text
 */
export function qrCode(text) {
  const found = codewords(new TextEncoder().encode(text));
  if (!found) return null;
  const size = 17 + 4 * found.version;
  /** @type {Grid} */
  const grid = Array.from({ length: size }, () => Array(size).fill(null));
  drawFinders(grid, size);
  drawAlignment(grid, size, found.version);
  drawTiming(grid, size);
  drawFormat(grid, size);
  if (found.version >= 7) drawVersion(grid, size, found.version);
  drawWords(grid, size, found.words);
  return grid.map((row) => row.map(Boolean));
}

/**
 * Draws the three corners, each with its light rim.
 * @param {Grid} grid
 * @param {number} size
 */
function drawFinders(grid, size) {
  const far = size - 4;
  for (const [row, column] of [
    [3, 3],
    [3, far],
    [far, 3],
  ]) {
    drawRings(grid, row, column, 4, [true, true, false, true, false]);
  }
}

/**
 * Draws the small squares, except at a corner.
 * @param {Grid} grid
 * @param {number} size
 * @param {number} version
 */
function drawAlignment(grid, size, version) {
  const last = size - 7;
  const centres = version === 1 ? [] : version < 7 ? [6, last] : [6, 2 * version + 8, last];
  for (const row of centres) {
    for (const column of centres) {
      if (grid[row][column] === null) drawRings(grid, row, column, 2, [true, false, true]);
    }
  }
}

/**
 * Draws squares around a centre, from the inside out; modules outside the grid are skipped.
 * @param {Grid} grid
 * @param {number} row
 * @param {number} column
 * @param {number} reach
 * @param {boolean[]} rings
 */
function drawRings(grid, row, column, reach, rings) {
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      if (grid[row + y]?.[column + x] === null) grid[row + y][column + x] = rings[Math.max(Math.abs(y), Math.abs(x))];
    }
  }
}

/** @param {Grid} grid @param {number} size */
function drawTiming(grid, size) {
  for (let at = 8; at < size - 8; at++) {
    grid[6][at] = at % 2 === 0;
    grid[at][6] = at % 2 === 0;
  }
}

/**
 * Draws the format twice: around the first corner, and split between the two others.
 * @param {Grid} grid
 * @param {number} size
 */
function drawFormat(grid, size) {
  for (let bit = 0; bit < 15; bit++) {
    const dark = ((FORMAT >> bit) & 1) === 1;
    const near = bit < 6 ? bit : bit < 8 ? bit + 1 : bit === 8 ? 7 : 14 - bit;
    if (bit < 8) grid[near][8] = dark;
    else grid[8][near] = dark;
    if (bit < 8) grid[8][size - 1 - bit] = dark;
    else grid[size - 15 + bit][8] = dark;
  }
  grid[size - 8][8] = true;
}

/**
 * Draws the version, which codes have from version 7 on.
 * @param {Grid} grid
 * @param {number} size
 * @param {number} version
 */
function drawVersion(grid, size, version) {
  let rest = version;
  for (let step = 0; step < 12; step++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let bit = 0; bit < 18; bit++) {
    const [row, column] = [Math.floor(bit / 3), size - 11 + (bit % 3)];
    grid[row][column] = grid[column][row] = ((bits >> bit) & 1) === 1;
  }
}

/**
 * Draws the codewords up and down in columns of two, from the right, through the free modules; the timing column is
 * skipped.
 * @param {Grid} grid
 * @param {number} size
 * @param {number[]} words
 */
function drawWords(grid, size, words) {
  let at = 0;
  for (let right = size - 1; right >= 1; right -= right === 8 ? 3 : 2) {
    const upward = ((right + (right < 7 ? 2 : 1)) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const row = upward ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (grid[row][column] !== null) continue;
        const bit = ((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
        grid[row][column] = (bit === 1) !== ((row + column) % 2 === 0);
        at += 1;
      }
    }
  }
}
