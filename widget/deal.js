// @ts-check
import { ApiError } from './api.js';
import { createView } from './card.js';
import { beginDraft, draftOf, dropDraft, requestBody, sendOnce } from './draft.js';
import { parseAmount } from './money.js';
import { budget, dealName, language, openLeadId } from './page.js';
import { openSetup } from './setup.js';
import { firstValues } from './suggest.js';
import { whileSeen } from './watch.js';

const REFRESH = 5000;
const SLOWEST = 60000;

/**
 * What the card shows. `problem` of a ready card is a refresh that failed: what was known stays visible.
 * @typedef {{
 *   phase: 'loading' | 'unsaved' | 'failed' | 'disconnected' | 'forbidden' | 'ready',
 *   deal: import('./types').Deal | null,
 *   loadedAt: number,
 *   problem: ApiError | null,
 *   draft: import('./draft.js').Draft | null,
 *   created: import('./types').PaymentRequest | null,
 *   cancelling: {id: string, sending: boolean, problem: ApiError | null} | null,
 *   refunding: {id: string, refundId: string, sending: boolean, problem: ApiError | null} | null,
 *   checking: boolean,
 * }} State
 */

/**
 * The card of one deal: loads, refreshes while something is open, sends. Everything that arrives after `destroy`
 * is dropped.
 * @param {{
 *   root: HTMLElement,
 *   leadId: number,
 *   api: ReturnType<typeof import('./api.js').backend>,
 *   words: import('./types').Words,
 *   message: string,
 *   admin: boolean,
 *   onOtherDeal: () => void,
 * }} given
 */
export function openDeal({ root, leadId, api, words, message, admin, onOtherDeal }) {
  /** @type {State} */
  const state = {
    phase: leadId ? 'loading' : 'unsaved',
    deal: null,
    loadedAt: 0,
    problem: null,
    draft: draftOf(leadId),
    created: null,
    cancelling: null,
    refunding: null,
    checking: false,
  };
  let over = false;
  let loading = false;
  let failures = 0;
  let nextLoad = leadId ? 0 : Number.POSITIVE_INFINITY;
  const lang = language();

  const paint = () => {
    if (!over) view.paint(state);
  };

  /** @type {<T>(promise: Promise<T>, took: (value: T) => void, failed: (error: ApiError) => void) => Promise<void>} */
  const settle = (promise, took, failed) =>
    promise.then(
      (value) => {
        if (!over) took(value);
      },
      (error) => {
        if (!over) failed(error instanceof ApiError ? error : new ApiError(0));
      },
    );

  const load = async () => {
    if (loading) return;
    loading = true;
    await settle(api.deal(leadId), loaded, loadFailed);
    loading = false;
    paint();
  };

  /** @param {import('./types').Deal} deal */
  const loaded = (deal) => {
    failures = 0;
    Object.assign(state, { phase: deal.connected === false ? 'disconnected' : 'ready', deal, problem: null });
    state.loadedAt = Date.now();
    if (state.draft?.error?.code === 'conflict') settleConflict(deal, state.draft);
    nextLoad = somethingOpen(deal) ? Date.now() + REFRESH : Number.POSITIVE_INFINITY;
  };

  /** @param {ApiError} error */
  const loadFailed = (error) => {
    failures += 1;
    state.problem = error;
    if (error.code === 'not_connected') state.phase = 'disconnected';
    else if (error.status === 403) state.phase = 'forbidden';
    else if (!state.deal) state.phase = 'failed';
    const final = error.status >= 400 && error.status < 500;
    nextLoad = final ? Number.POSITIVE_INFINITY : Date.now() + Math.min(SLOWEST, REFRESH * 2 ** (failures - 1));
  };

  /**
   * The uuid was used before with other content: an earlier try did arrive. Its payment is shown instead.
   * @param {import('./types').Deal} deal
   * @param {import('./draft.js').Draft} draft
   */
  const settleConflict = (deal, draft) => {
    const made = deal.requests.find((request) => request.id === draft.requestId);
    if (made) created(made);
  };

  /** @param {import('./types').PaymentRequest} request */
  const created = (request) => {
    dropDraft(leadId);
    Object.assign(state, { draft: null, created: request });
    view.announce(words('created.title'));
  };

  const look = () => {
    if (openLeadId() !== leadId) onOtherDeal();
    else if (Date.now() >= nextLoad) void load();
  };

  const begin = () => {
    if (!state.deal || openLeadId() !== leadId) return;
    const values = firstValues(state.deal, { budget: budget(), name: dealName(), lang });
    values.description ||= words('form.description_default', { id: String(leadId) });
    Object.assign(state, { draft: draftOf(leadId) ?? beginDraft(leadId, values), created: null });
    paint();
    view.focusForm();
  };

  const close = () => {
    if (state.draft?.sending) return;
    dropDraft(leadId);
    Object.assign(state, { draft: null, created: null });
    paint();
    view.focus('begin');
  };

  /** @param {import('./draft.js').Draft} draft */
  const send = (draft) => {
    if (openLeadId() !== leadId) return;
    const { currency, amount, total, kind } = draft.values;
    const parsed = parseAmount(amount, currency, lang);
    const parsedTotal = kind === 'deposit' ? parseAmount(total, currency, lang) : null;
    draft.error = firstFault(draft.values, parsed, words);
    if (draft.error || !parsed) {
      paint();
      view.focusFault();
      return;
    }
    void follow(draft, () => api.create(requestBody(leadId, draft, parsed, parsedTotal)));
    paint();
  };

  /**
   * @param {import('./draft.js').Draft} draft
   * @param {() => Promise<import('./types').PaymentRequest>} request
   */
  const follow = async (draft, request) => {
    await settle(sendOnce(leadId, draft, request), created, (error) => {
      if (error.code === 'conflict' || error.unsure) nextLoad = 0;
    });
    nextLoad = 0;
    paint();
    if (state.created) view.focus('copy-created');
    else view.focusFault();
  };

  /** @param {string} id */
  const cancel = (id) => {
    if (state.cancelling?.sending) return;
    if (state.cancelling?.id !== id) {
      state.cancelling = { id, sending: false, problem: null };
      paint();
      view.focus(`cancel-yes-${id}`);
      return;
    }
    const asked = state.cancelling;
    Object.assign(asked, { sending: true, problem: null });
    paint();
    void settle(
      api.cancel(id),
      () => {
        state.cancelling = null;
        if (state.created?.id === id) state.created = null;
        view.announce(words('list.cancelled'));
        void load();
      },
      (problem) => {
        Object.assign(asked, { sending: false, problem });
        nextLoad = 0;
      },
    ).then(paint);
  };

  const keep = () => {
    const id = state.cancelling?.id;
    state.cancelling = null;
    paint();
    view.focus(`cancel-${id}`);
  };

  const check = async () => {
    if (state.checking) return;
    state.checking = true;
    paint();
    await settle(
      api.check(leadId),
      () => {},
      (error) => {
        state.problem = error;
      },
    );
    await load();
    state.checking = false;
    nextLoad = Math.min(nextLoad, Date.now() + REFRESH / 2);
    paint();
  };

  const retry = () => {
    Object.assign(state, { phase: state.deal ? 'ready' : 'loading', problem: null });
    paint();
    void load();
  };

  const setup = () => openSetup(api, words, (text) => view.announce(text));

  const actions = { begin, close, send, cancel, keep, check, retry, setup };
  const view = createView(root, { words, lang, leadId, message, admin, actions });
  if (state.draft?.sending) void follow(state.draft, () => Promise.reject(new ApiError(0)));
  paint();
  const stopLooking = whileSeen(root, look);

  return {
    leadId,
    destroy() {
      over = true;
      stopLooking();
      root.replaceChildren();
    },
  };
}

/** @param {import('./types').Deal} deal */
function somethingOpen(deal) {
  const open = ['pending', 'processing'];
  return [...deal.requests, ...deal.payments].some((one) => open.includes(one.state));
}

/**
 * What can be seen to be wrong without asking; the backend checks everything again.
 * @param {import('./types').FormValues} values
 * @param {string | null} amount
 * @param {import('./types').Words} words
 */
function firstFault(values, amount, words) {
  if (!values.currency) return new ApiError(422, { field: 'currency', message: words('form.currency_missing') });
  if (!amount) return new ApiError(422, { field: 'amount', message: words('form.amount_invalid') });
  if (!values.description.trim()) {
    return new ApiError(422, { field: 'description', message: words('form.description_missing') });
  }
  return null;
}
