// @ts-check
/**
 * @type {import('./types.d.ts').Build} Values of `widget build`: the backend's address, the widget's version, the backend's API version,
 * Stripe's currencies with their decimals, and the style sheet.
 * The build replaces this file; this one only declares the types.
 */
export const BUILD = {
  backend: '',
  version: '',
  api: 0,
  style: '',
  currencies: {},
};
