// @ts-check

/** Versions 1 to 9 at level M: total codewords, blocks, and check codewords per block (ISO/IEC 18004, table 9). */
const VERSIONS = [
  [26, 1, 10],
  [44, 1, 16],
  [70, 1, 26],
  [100, 2, 18],
  [134, 2, 24],
  [172, 4, 16],
  [196, 4, 18],
  [242, 4, 22],
  [292, 5, 22],
];

/**
 * Returns the smallest version that holds the bytes, and its codewords in drawing order; null if none does.
 * @param {Uint8Array} bytes
 */
export function codewords(bytes) {
  const place = VERSIONS.findIndex(([total, blocks, checks]) => bytes.length + 2 <= total - blocks * checks);
  if (place < 0) return null;
  const [total, blocks, checks] = VERSIONS[place];
  const data = padded(bytes, total - blocks * checks);
  return { version: place + 1, words: interleaved(data, blocks, checks) };
}

/**
 * Returns mode "bytes", length, bytes, end and alternating filler codewords: all shifted by the mode's four bits.
 * @param {Uint8Array} bytes
 * @param {number} length
 */
function padded(bytes, length) {
  const halves = [4, bytes.length >> 4, bytes.length & 15];
  for (const byte of bytes) halves.push(byte >> 4, byte & 15);
  halves.push(0);
  const data = [];
  for (let at = 0; at < halves.length; at += 2) data.push((halves[at] << 4) | halves[at + 1]);
  for (let fill = 0xec; data.length < length; fill ^= 0xec ^ 0x11) data.push(fill);
  return data;
}

/**
 * Returns the blocks' codewords interleaved, then their check codewords interleaved; the later blocks are one longer.
 * @param {number[]} data
 * @param {number} count
 * @param {number} checks
 */
function interleaved(data, count, checks) {
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const blocks = [];
  for (let at = 0, place = 0; place < count; place++) {
    const end = at + short + (place >= count - longer ? 1 : 0);
    blocks.push(data.slice(at, end));
    at = end;
  }
  const generator = generatorOf(checks);
  const tails = blocks.map((block) => remainder(block, generator));
  return [...inTurn(blocks, short + 1), ...inTurn(tails, checks)];
}

/** @param {number[][]} rows @param {number} length */
function inTurn(rows, length) {
  const words = [];
  for (let at = 0; at < length; at++) {
    for (const row of rows) if (at < row.length) words.push(row[at]);
  }
  return words;
}

/**
 * Returns the product in GF(256) with x⁸+x⁴+x³+x²+1.
 * @param {number} a
 * @param {number} b
 */
function times(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}

/** Returns the coefficients of (x-1)(x-2)(x-4)… without the first. @param {number} degree */
function generatorOf(degree) {
  const found = Array(degree).fill(0);
  found[degree - 1] = 1;
  for (let step = 0, root = 1; step < degree; step++, root = times(root, 2)) {
    for (let at = 0; at < degree; at++) found[at] = times(found[at], root) ^ (found[at + 1] ?? 0);
  }
  return found;
}

/** @param {number[]} data @param {number[]} generator */
function remainder(data, generator) {
  const rest = generator.map(() => 0);
  for (const word of data) {
    const factor = word ^ /** @type {number} */ (rest.shift());
    rest.push(0);
    for (const [at, coefficient] of generator.entries()) rest[at] ^= times(coefficient, factor);
  }
  return rest;
}
