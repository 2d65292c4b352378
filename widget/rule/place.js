// @ts-check

/** Kommo draws the action's form after its callback, and may draw it again. */
const PAUSE = 300;
const LOOKS = 20;
const WRAPPERS = [
  'form.digital-pipeline__edit-forms',
  '[data-action=send_widget_hook]',
  '#widget_settings__fields_wrapper',
];
const SHORT = '.digital-pipeline__short-task_widget-style_';

/**
 * The input in the open form of the action that holds the rule's key; null where no form of ours is open.
 * @param {string} code the widget's
 * @param {string} name the setting's
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
 * The same in the form of a bot's step.
 * @param {ParentNode} body
 * @param {string} name
 */
export function stepInput(body, name) {
  const input = body.querySelector(`[data-field-name="${name}"] [name=value_manual]`);
  return input instanceof HTMLInputElement ? input : null;
}

/**
 * Calls `found` with the input once it is there, and not for one that has our form already; gives up after six seconds.
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
 * Hides Kommo's row of the input: its value is for machines. Returns the place behind it.
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
 * Writes the value as a person would have typed it, so that Kommo lets the form be saved.
 * @param {HTMLInputElement} input
 * @param {string} value
 */
export function writeKey(input, value) {
  if (input.value === value) return;
  input.value = value;
  for (const event of ['input', 'change']) input.dispatchEvent(new Event(event, { bubbles: true }));
}
