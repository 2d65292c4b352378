// @ts-check
/**
 * @type {import('./types.d.ts').Build} What `widget build` knows: the backend's address, the version, the number of what the backend can do,
 * Stripe's currencies with their decimals, the style.
 * The build replaces this file; this one only gives the types.
 */
export const BUILD = {
  backend: '',
  version: '',
  api: 0,
  style: '',
  currencies: {},
};
