// @ts-check

import { sentenceOf } from '../kommo/page.js';
import { el } from '../ui/dom.js';

/** @typedef {keyof import('../types.d.ts').FormValues} Key */

/** The labelled inputs of a form, each with a place for the refusal that names it. */
export class Fields {
  /**
   * @param {import('../types.d.ts').Words} words
   * @param {string} prefix of element ids
   * @param {(key: Key, value: string) => void} onChange called with the typed or chosen value
   */
  constructor(words, prefix, onChange) {
    this.words = words;
    this.prefix = prefix;
    this.onChange = onChange;
    /** @type {Map<Key, HTMLInputElement | HTMLSelectElement>} */
    this.byKey = new Map();
    /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} by the JSON key that a refusal names */
    this.inputs = {};
    /** @type {Record<string, HTMLElement>} */
    this.faults = {};
  }

  /**
   * Adds a text input and returns its labelled element.
   * @param {string} name JSON key
   * @param {Key} key
   * @param {Record<string, unknown>} attributes
   */
  text(name, key, attributes) {
    const input = el('input', { class: 'dealpay-input', type: 'text', autocomplete: 'off', ...attributes });
    return this.add(name, key, /** @type {HTMLInputElement} */ (input), 'input');
  }

  /**
   * Adds a select and returns its labelled element.
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
   * Adds an input and returns its labelled element.
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
    this.byKey.set(key, input);
    input.addEventListener(event, () => this.onChange(key, input.value));
    const label = el('label', { class: 'dealpay-label', for: id, text: this.words(`form.${name}`) });
    return el('div', { class: 'dealpay-field' }, label, input);
  }

  /** Shows the values, leaving unchanged inputs alone. @param {import('../types.d.ts').FormValues} values */
  showValues(values) {
    for (const [key, input] of this.byKey) {
      if (input.value !== values[key]) input.value = values[key]; // assigning the same value would move the caret
    }
  }

  /**
   * Shows a refusal at the field that it names, and clears all others.
   * @param {import('../api.js').ApiError | null} error
   * @returns {boolean} false: it names no visible field
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

  /** Enables or disables all inputs. @param {boolean} disabled */
  disable(disabled) {
    for (const input of Object.values(this.inputs)) input.disabled = disabled;
  }
}
