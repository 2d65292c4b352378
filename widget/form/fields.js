// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { el } from '../ui/dom.js';

/** @typedef {keyof import('../types.d.ts').FormValues} Key */

/**
 * The labelled inputs of a form, each with a place for the refusal that names it. What is typed goes into `values`
 * at once; `changed` is told.
 */
export class Fields {
  /**
   * @param {import('../types.d.ts').FormValues} values
   * @param {import('../types.d.ts').Words} words
   * @param {string} prefix of element ids
   * @param {(key: Key) => void} changed
   */
  constructor(values, words, prefix, changed) {
    this.values = values;
    this.words = words;
    this.prefix = prefix;
    this.changed = changed;
    /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} by the JSON key that a refusal names */
    this.inputs = {};
    /** @type {Record<string, HTMLElement>} */
    this.faults = {};
  }

  /**
   * @param {string} name JSON key
   * @param {Key} key
   * @param {Record<string, unknown>} attributes
   */
  text(name, key, attributes) {
    const input = el('input', { class: 'dealpay-input', type: 'text', autocomplete: 'off', ...attributes });
    return this.add(name, key, /** @type {HTMLInputElement} */ (input), 'input');
  }

  /**
   * @param {string} name JSON key
   * @param {Key} key
   * @param {[string, string][]} options value and text
   */
  select(name, key, options) {
    const made = options.map(([value, text]) => el('option', { value, text }));
    const input = el('select', { class: 'dealpay-input dealpay-select' }, ...made);
    return this.add(name, key, /** @type {HTMLSelectElement} */ (input), 'change');
  }

  /**
   * @param {string} name
   * @param {Key} key
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {string} event
   */
  add(name, key, input, event) {
    const id = `${this.prefix}-${name}`;
    this.inputs[name] = input;
    this.faults[name] = el('span', { class: 'dealpay-fault', id: `${id}-fault` });
    input.id = id;
    input.value = this.values[key];
    input.addEventListener(event, () => {
      Object.assign(this.values, { [key]: input.value });
      this.changed(key);
    });
    const label = el('label', { class: 'dealpay-label', for: id, text: this.words(`form.${name}`) });
    return el('div', { class: 'dealpay-field' }, label, input);
  }

  /**
   * Puts a value in without telling: what others are to follow was changed already.
   * @param {string} name JSON key
   * @param {Key} key
   * @param {string} value
   */
  show(name, key, value) {
    Object.assign(this.values, { [key]: value });
    this.inputs[name].value = value;
  }

  /**
   * Puts a value in as a person would.
   * @param {string} name JSON key
   * @param {Key} key
   * @param {string} value
   */
  set(name, key, value) {
    this.show(name, key, value);
    this.changed(key);
  }

  /**
   * Shows a refusal at the field it names, and takes it from all others.
   * @param {import('../api.js').ApiError | null} error
   * @returns {boolean} false: it names no field that is seen
   */
  showFault(error) {
    const at = error?.field && this.inputs[error.field]?.closest('[hidden]') === null ? error.field : '';
    for (const [name, input] of Object.entries(this.inputs)) {
      const fault = this.faults[name];
      fault.textContent = error && name === at ? sentenceOf(error, this.words) : '';
      input.toggleAttribute('aria-invalid', false);
      input.removeAttribute('aria-describedby');
      if (name !== at) continue;
      input.setAttribute('aria-invalid', 'true');
      input.setAttribute('aria-describedby', fault.id);
    }
    return at !== '';
  }

  /** @param {boolean} disabled */
  disable(disabled) {
    for (const input of Object.values(this.inputs)) input.disabled = disabled;
  }
}
