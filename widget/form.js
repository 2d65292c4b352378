// @ts-check
import { BUILD } from './build.js';
import { el } from './dom.js';
import { formatAmount, parseAmount, shareOf } from './money.js';
import { sentenceOf } from './page.js';
import { suggestedAmount } from './suggest.js';

const FIELDS = ['kind', 'amount', 'currency', 'description', 'deal_total', 'interval', 'interval_count'];
const SHARES = [10, 30, 50];
const INTERVALS = ['day', 'week', 'month', 'year'];

/**
 * The form of one draft. The inputs are made once; `refresh` shows what became of the draft (under way, refused).
 * @param {import('./draft.js').Draft} draft
 * @param {{words: import('./types').Words, lang: string, leadId: number, deal: import('./types').Deal,
 *   rest: import('./types').Amount | null, actions: import('./deal.js').DealCard}} given
 */
export function buildForm(draft, { words, lang, leadId, deal, rest, actions }) {
  const { values } = draft;
  const id = (/** @type {string} */ name) => `dealpay-${leadId}-${name}`;

  /** @type {Record<string, HTMLElement>} */
  const faults = {};
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const inputs = {};

  /**
   * @param {string} name JSON key that a refusal names
   * @param {HTMLElement} input
   * @param {...HTMLElement} more stands below the input; the sentence of a refusal is placed by the caller
   */
  const field = (name, input, ...more) => {
    inputs[name] = /** @type {HTMLInputElement} */ (input);
    faults[name] = el('span', { class: 'dealpay-fault', id: id(`${name}-fault`) });
    input.id = id(name);
    const label = el('label', { class: 'dealpay-label', for: id(name), text: words(`form.${name}`) });
    return el('div', { class: `dealpay-field dealpay-field-${name}` }, label, input, ...more);
  };

  /**
   * @param {keyof import('./types').FormValues} key
   * @param {Record<string, unknown>} attributes
   */
  const textInput = (key, attributes) => {
    const input = /** @type {HTMLInputElement} */ (
      el('input', {
        class: 'dealpay-input',
        type: 'text',
        autocomplete: 'off',
        'data-key': `form-${key}`,
        ...attributes,
      })
    );
    input.value = values[key];
    input.addEventListener('input', () => {
      change(key, input.value);
      if (key === 'amount') draft.touched = true;
      if (key === 'total' && !draft.touched) suggest();
    });
    return input;
  };

  /**
   * @param {keyof import('./types').FormValues} key
   * @param {[string, string][]} options value and text
   */
  const select = (key, options) => {
    const made = options.map(([value, text]) => el('option', { value, text }));
    const input = /** @type {HTMLSelectElement} */ (
      el('select', { class: 'dealpay-input dealpay-select', 'data-key': `form-${key}` }, ...made)
    );
    input.value = values[key];
    input.addEventListener('change', () => {
      change(key, input.value);
      if (key !== 'interval' && !draft.touched) suggest();
      refresh();
    });
    return input;
  };

  /**
   * @param {keyof import('./types').FormValues} key
   * @param {string} value
   */
  const change = (key, value) => {
    Object.assign(values, { [key]: value });
    draft.error = null;
    refresh();
  };

  const suggest = () => {
    const total = parseAmount(values.total, values.currency, lang) ?? '';
    setAmount(suggestedAmount(values.kind, deal, values.currency, total));
  };

  /** @param {string} amount */
  const setAmount = (amount) => {
    values.amount = amount;
    inputs.amount.value = amount;
    refresh();
  };

  const shares = el('div', { class: 'dealpay-shares' });
  for (const percent of SHARES) {
    const share = el('button', { type: 'button', class: 'dealpay-chip', text: `${percent}%` });
    share.addEventListener('click', () => {
      const total = parseAmount(values.total, values.currency, lang);
      if (total) setAmount(shareOf(total, percent, values.currency));
      draft.touched = true;
    });
    shares.append(share);
  }

  const kinds = ['full', 'deposit', ...(rest ? ['rest'] : []), 'subscription'];
  const kind = field(
    'kind',
    select(
      'kind',
      kinds.map((one) => [one, words(`kind.${one}`)]),
    ),
  );
  const total = el(
    'div',
    {},
    field('deal_total', textInput('total', { inputmode: 'decimal' }), shares),
    faults.deal_total,
  );
  const amount = field('amount', textInput('amount', { inputmode: 'decimal', placeholder: '0' }));
  const currency = field('currency', select('currency', currencies(deal, values.currency)));
  const money = el('div', {}, el('div', { class: 'dealpay-pair' }, amount, currency), faults.amount, faults.currency);
  const every = field('interval_count', textInput('intervalCount', { inputmode: 'numeric' }));
  const unit = field(
    'interval',
    select(
      'interval',
      INTERVALS.map((one) => [one, words(`interval.${one}`)]),
    ),
  );
  const repeatFaults = [faults.interval_count, faults.interval];
  const repeat = el('div', {}, el('div', { class: 'dealpay-pair dealpay-pair-even' }, every, unit), ...repeatFaults);
  const description = field('description', textInput('description', { maxlength: '250' }));
  const fault = el('p', { class: 'dealpay-alert', role: 'alert', tabindex: '-1', hidden: true });
  const submit = el('button', { type: 'submit', class: 'dealpay-button dealpay-button-blue', 'data-key': 'submit' });
  const close = el('button', {
    type: 'button',
    class: 'dealpay-button',
    text: words('form.cancel'),
    on: { click: () => actions.close() },
  });

  const node = el(
    'form',
    { class: 'dealpay-box dealpay-form', novalidate: true, 'aria-label': words('card.create') },
    el('div', {}, kind, faults.kind),
    total,
    money,
    repeat,
    el('div', {}, description, faults.description),
    fault,
    el('div', { class: 'dealpay-buttons' }, submit, close),
  );
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    actions.send(draft);
  });
  node.addEventListener('keydown', (event) => {
    // The card of Kommo must not take Enter and Esc that are meant for the form.
    event.stopPropagation();
    if (event.key === 'Escape') actions.close();
  });

  const refresh = () => {
    const { kind: chosen } = values;
    total.hidden = chosen !== 'deposit';
    repeat.hidden = chosen !== 'subscription';
    const parsed = parseAmount(values.amount, values.currency, lang);
    const price = parsed && values.currency ? formatAmount({ amount: parsed, currency: values.currency }, lang) : '';
    const busy = draft.sending !== null;
    submit.textContent = busy
      ? words('form.sending')
      : price
        ? words('form.submit', { amount: price })
        : words('form.submit_plain');
    for (const input of [...Object.values(inputs), ...shares.querySelectorAll('button'), close]) {
      /** @type {HTMLInputElement} */ (input).disabled = busy;
    }
    submit.toggleAttribute('disabled', busy);
    node.setAttribute('aria-busy', String(busy));
    showFault();
  };

  const showFault = () => {
    const { error } = draft;
    const at = error?.field && FIELDS.includes(error.field) && !isHidden(error.field) ? error.field : '';
    for (const [name, text] of Object.entries(faults)) {
      text.textContent = name === at ? (error?.message ?? '') : '';
      inputs[name].toggleAttribute('aria-invalid', name === at);
      if (name === at) inputs[name].setAttribute('aria-invalid', 'true');
      describe(inputs[name], name === at ? text.id : '');
    }
    const general =
      error && !at ? `${sentenceOf(error, words)} ${error.unsure ? words('form.unsure') : ''}`.trim() : '';
    if (fault.textContent !== general) fault.textContent = general;
    fault.hidden = !general;
  };

  /** @param {string} name */
  const isHidden = (name) => inputs[name].closest('[hidden]') !== null;

  refresh();
  return {
    node,
    refresh,
    focus: () => inputs.amount.focus(),
    focusFault: () => {
      const wrong = node.querySelector('[aria-invalid="true"]');
      if (wrong instanceof HTMLElement) wrong.focus();
      else if (!fault.hidden) fault.focus();
    },
  };
}

/**
 * @param {HTMLElement} input
 * @param {string} faultId
 */
function describe(input, faultId) {
  if (faultId) input.setAttribute('aria-describedby', faultId);
  else input.removeAttribute('aria-describedby');
}

/**
 * Every currency that Stripe takes, those of the deal first.
 * @param {import('./types').Deal} deal
 * @param {string} chosen
 * @returns {[string, string][]}
 */
function currencies(deal, chosen) {
  const near = [chosen, deal.currency, ...deal.expected.map((money) => money.currency), 'USD', 'EUR'];
  const first = [...new Set(near.filter((code) => code))];
  const rest = Object.keys(BUILD.currencies).filter((code) => !first.includes(code));
  const empty = chosen ? [] : [''];
  return [...empty, ...first, ...rest].map((code) => [
    /** @type {string} */ (code),
    /** @type {string} */ (code || '—'),
  ]);
}
