// @ts-check

const SVG = 'http://www.w3.org/2000/svg';

/** Stroke paths on a 16 × 16 grid, in the colour of the text next to them. */
const STROKES = {
  copy: 'M5.5 5.5V3.2c0-.4.3-.7.7-.7h6.6c.4 0 .7.3.7.7v6.6c0 .4-.3.7-.7.7h-2.3M3.2 5.5h6.6c.4 0 .7.3.7.7v6.6c0 .4-.3.7-.7.7H3.2a.7.7 0 0 1-.7-.7V6.2c0-.4.3-.7.7-.7Z',
  open: 'M9.5 2.5h4v4M13.5 2.5l-6 6M11.5 9.5v3c0 .6-.4 1-1 1h-7a1 1 0 0 1-1-1v-7c0-.6.4-1 1-1h3',
  done: 'm3 8.5 3.2 3.2L13 4.8',
};

/**
 * Returns an icon, hidden from screen readers: the text next to it says the same.
 * @param {keyof typeof STROKES} name
 */
export function icon(name) {
  const picture = svg('svg', { viewBox: '0 0 16 16', class: 'dealpay-icon', 'aria-hidden': 'true' });
  picture.append(svg('path', { d: STROKES[name] }));
  return picture;
}

/**
 * Returns an SVG element.
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
export function svg(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
