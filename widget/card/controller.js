// @ts-check
import { ApiError } from '../api.js';
import { firstValues } from '../form/defaults.js';
import { beginDraft, dropDraft, firstFault, requestBody, sendOnce } from '../form/draft.js';
import { budget, dealName, language, openLeadId } from '../kommo/page.js';
import { ConfirmController } from '../list/confirm.js';
import { isLong, Refresh } from './polling.js';
import { openSetup } from './setup.js';
import { firstState, lostDeal, tookDeal } from './state.js';
import { createView } from './view.js';
import { whileSeen } from './visibility.js';

/**
 * The card of one deal: loads, refreshes itself while something is open, sends what a person asks for. What arrives
 * after `destroy` is dropped; nothing is sent when Kommo has meanwhile gone to another deal.
 */
export class CardController {
  /**
   * @param {{
   *   root: HTMLElement,
   *   leadId: number,
   *   api: ReturnType<typeof import('../api.js').backend>,
   *   words: import('../types.d.ts').Words,
   *   message: string,
   *   admin: boolean,
   *   onOtherDeal: () => void,
   * }} given
   */
  constructor({ root, leadId, api, words, message, admin, onOtherDeal }) {
    this.root = root;
    this.leadId = leadId;
    this.api = api;
    this.words = words;
    this.onOtherDeal = onOtherDeal;
    this.lang = language();
    this.over = false;
    this.loading = false;
    this.began = 0;
    this.refresh = new Refresh(leadId !== 0);
    this.state = firstState(leadId);
    this.asking = new ConfirmController(this);
    this.view = createView(root, { words, lang: this.lang, leadId, message, admin, actions: this });
    this.paint();
    if (this.state.draft?.sending) this.follow(this.state.draft, () => Promise.reject(new ApiError(0)));
    this.stopLooking = whileSeen(root, (back) => this.look(back));
  }

  destroy() {
    this.over = true;
    this.stopLooking();
    this.root.replaceChildren();
  }

  paint() {
    if (!this.over) this.view.paint(this.state);
  }

  /**
   * Every second while the card is seen. Kommo may have changed the deal without telling us.
   * @param {boolean} back it was out of sight: from the client's page, people come back for news
   */
  look(back) {
    if (openLeadId() !== this.leadId) {
      this.onOtherDeal();
      return;
    }
    if (back) this.refresh.hurry();
    if (this.refresh.due()) this.load();
    this.state.slow = this.loading && isLong(this.began);
    if (this.loading || this.state.draft?.sending) this.paint();
  }

  /**
   * Takes up what came of a call, unless the card is gone by then.
   * @template T
   * @param {Promise<T>} promise
   * @param {(value: T) => void} took
   * @param {(error: ApiError) => void} failed
   */
  async settle(promise, took, failed) {
    try {
      const value = await promise;
      if (!this.over) took(value);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.over) failed(error);
    }
    this.paint();
  }

  async load() {
    if (this.loading) return;
    this.loading = true;
    this.began = Date.now();
    await this.settle(
      this.api.deal(this.leadId),
      (deal) => {
        tookDeal(this.state, deal);
        this.refresh.succeeded(deal);
        this.settleConflict(deal);
        this.forgetCreated(deal);
      },
      (error) => {
        lostDeal(this.state, error);
        this.refresh.failed(error);
      },
    );
    this.loading = false;
    Object.assign(this.state, { checking: false, slow: false, outdated: this.api.outdated() });
    this.paint();
  }

  retry() {
    this.state.phase = this.state.deal ? 'ready' : 'loading';
    this.state.problem = null;
    this.paint();
    this.load();
  }

  /** Stripe is asked behind the answer: what it says is there a moment later, and ends the checking. */
  async check() {
    if (this.state.checking) return;
    Object.assign(this.state, { checking: true, refused: null });
    this.paint();
    await this.settle(
      this.api.check(this.leadId),
      () => this.refresh.after(1500),
      (refused) => Object.assign(this.state, { refused, checking: false }),
    );
  }

  begin() {
    if (!this.state.deal || openLeadId() !== this.leadId) return;
    const values = firstValues(this.state.deal, { budget: budget(), name: dealName(), lang: this.lang });
    values.description ||= this.words('form.description_default', { id: String(this.leadId) });
    this.state.draft = beginDraft(this.leadId, values);
    this.state.created = null;
    this.paint();
    this.view.focusForm();
  }

  close() {
    if (this.state.draft?.sending) return;
    dropDraft(this.leadId);
    this.state.draft = null;
    this.state.created = null;
    this.paint();
    this.view.focus('begin');
  }

  /** @param {import('../form/draft.js').Draft} draft */
  send(draft) {
    if (draft.sending || openLeadId() !== this.leadId) return;
    draft.error = firstFault(draft.values, this.lang, this.words);
    if (draft.error) {
      this.paint();
      this.view.focusFault();
      return;
    }
    this.follow(draft, () => this.api.create(requestBody(this.leadId, draft, this.lang)));
  }

  /**
   * @param {import('../form/draft.js').Draft} draft
   * @param {() => Promise<import('../types.d.ts').PaymentRequest>} request
   */
  async follow(draft, request) {
    const sent = sendOnce(this.leadId, draft, request);
    this.paint();
    await this.settle(
      sent,
      (made) => this.showCreated(made),
      () => this.paint(),
    );
    if (this.over) return;
    this.view.focusFault();
    this.load();
  }

  /** @param {import('../types.d.ts').PaymentRequest} made */
  showCreated(made) {
    dropDraft(this.leadId);
    this.state.draft = null;
    this.state.created = made;
    this.paint();
    this.view.focus('copy-created');
    this.view.announce(this.words('created.title'));
  }

  /**
   * The uuid was used before with other content: an earlier try did arrive. Its payment is shown instead.
   * @param {import('../types.d.ts').Deal} deal
   */
  settleConflict(deal) {
    const { draft } = this.state;
    if (draft?.error?.code !== 'conflict') return;
    const made = deal.requests.find((request) => request.id === draft.requestId);
    if (made) this.showCreated(made);
  }

  /**
   * A new link has done its work once it is paid or cancelled.
   * @param {import('../types.d.ts').Deal} deal
   */
  forgetCreated(deal) {
    const { created } = this.state;
    const now = deal.requests.find((request) => request.id === created?.id);
    if (!now || now.state === 'pending') return;
    this.state.created = null;
    this.view.announce(this.words(`state.${now.state}`));
  }

  setup() {
    return openSetup(this.api, this.words, (text) => this.view.announce(text));
  }
}
