// @ts-check

/** Milliseconds between looks: Kommo draws the action's form after its callback, and may redraw it. */
const PAUSE = 300;
const LOOKS = 20;
const WRAPPERS = [
  'form.digital-pipeline__edit-forms',
  '[data-action=send_widget_hook]',
  '#widget_settings__fields_wrapper',
];
const SHORT = '.digital-pipeline__short-task_widget-style_';

/**
 * Returns the input with the rule's key in the open form of our action; null if none is open.
 * @param {string} code of the widget
 * @param {string} name of the setting
 * @returns {HTMLInputElement | null}
 */
export function keyInput(code, name) {
  const ours = document.querySelector(`${SHORT}${CSS.escape(code)}`);
  const near = ours?.parentElement?.parentElement;
  const places = [near, ...WRAPPERS.map((one) => document.querySelector(one))];
  for (const place of places) {
    const input = place?.querySelector(`input[name="${name}"]`);
    if (input instanceof HTMLInputElement) return input;
  }
  return null;
}

/**
 * Returns the input with the rule's key in the form of a bot's step; null without one.
 * @param {ParentNode} body
 * @param {string} name
 */
export function stepInput(body, name) {
  const input = body.querySelector(`[data-field-name="${name}"] [name=value_manual]`);
  return input instanceof HTMLInputElement ? input : null;
}

/**
 * Calls `found` once the input exists, unless it has our form already; stops after six seconds.
 * @param {() => HTMLInputElement | null} find
 * @param {(input: HTMLInputElement) => void} found
 */
export function whenThere(find, found, looks = LOOKS) {
  const input = find();
  if (input && input.dataset.dealpay !== 'rule') {
    input.dataset.dealpay = 'rule';
    found(input);
  } else if (!input && looks > 0) {
    setTimeout(() => whenThere(find, found, looks - 1), PAUSE);
  }
}

/**
 * Hides Kommo's row of the input, whose value is for machines, and returns an element after it.
 * @param {HTMLInputElement} input
 */
export function ownPlace(input) {
  const row = input.closest('.widget_settings_block__item_field, .digital-pipeline__field, [data-field-name]') ?? input;
  if (row instanceof HTMLElement) row.style.display = 'none';
  const place = document.createElement('div');
  row.after(place);
  return place;
}

/**
 * Sets the input's value like a typed one, so that Kommo enables saving.
 * @param {HTMLInputElement} input
 * @param {string} value
 */
export function writeKey(input, value) {
  if (input.value === value) return;
  input.value = value;
  for (const event of ['input', 'change']) input.dispatchEvent(new Event(event, { bubbles: true }));
}
