// @ts-check
import { ApiError } from '../api.js';
import { FormController } from '../form/controller.js';
import { locale, openLeadId } from '../kommo/page.js';
import { ConfirmController } from '../list/confirm.js';
import { ReminderController } from '../list/reminder_controller.js';
import { openTab } from '../ui/new_tab.js';
import { isLong } from '../ui/patience.js';
import { Refresh } from './polling.js';
import { openSetup } from './setup.js';
import { afterFailure, afterLoading, firstState } from './state.js';
import { createStore } from './store.js';
import { createView } from './view.js';
import { whileVisible } from './visibility.js';

/**
 * The user's actions in the card: the only part of the controllers that views use.
 * @typedef {Pick<CardController, 'retry' | 'check' | 'preview' | 'setup' | 'unfold' | 'showCode'> & {
 *   form: Pick<FormController, 'begin' | 'close' | 'edit' | 'send'>,
 *   reminders: Pick<ReminderController, 'remind' | 'stop'>,
 *   confirm: Pick<ConfirmController, 'cancel' | 'refund' | 'send' | 'edit' | 'dismiss' | 'accept'>,
 * }} Actions
 */

/**
 * The card of one deal: loads the deal, and again while something is open. Its store holds what it shows. Answers that
 * arrive after `destroy` are dropped; nothing is sent once Kommo shows another deal.
 */
export class CardController {
  /**
   * @param {{
   *   root: HTMLElement,
   *   leadId: number,
   *   api: ReturnType<typeof import('../api.js').backend>,
   *   words: import('../types.d.ts').Words,
   *   message: string,
   *   description: string,
   *   contacts: () => Promise<import('../types.d.ts').Contact[]>,
   *   admin: boolean,
   *   onOtherDeal: () => void,
   * }} options
   */
  constructor({ root, leadId, api, words, message, description, contacts, admin, onOtherDeal }) {
    this.root = root;
    this.leadId = leadId;
    this.api = api;
    this.words = words;
    this.description = description;
    this.contacts = contacts;
    this.onOtherDeal = onOtherDeal;
    this.lang = locale();
    this.destroyed = false;
    this.loading = false;
    this.loadingSince = 0;
    this.refresh = new Refresh(leadId !== 0);
    this.store = createStore(firstState(leadId));
    this.form = new FormController(this);
    this.confirm = new ConfirmController(this);
    this.reminders = new ReminderController(this);
    this.view = createView(root, { words, lang: this.lang, leadId, message, admin, actions: this });
    this.stopPainting = this.store.subscribe(this.view.paint);
    this.form.resume();
    this.stopTicking = whileVisible(root, (returned) => this.tick(returned));
  }

  /** Removes the card and stops its timers. */
  destroy() {
    this.destroyed = true;
    this.stopTicking();
    this.stopPainting();
    this.root.replaceChildren();
  }

  /**
   * Runs every second while the card is visible. Kommo may have changed the deal without a callback.
   * @param {boolean} returned whether the card was hidden before: users return from the payer's page for news
   */
  tick(returned) {
    if (openLeadId() !== this.leadId) {
      this.onOtherDeal();
      return;
    }
    if (returned) this.refresh.hurry();
    if (this.refresh.due()) this.load();
    if (!this.loading && !this.store.get().draft?.sending) return;
    this.store.set({ slow: this.loading && isLong(this.loadingSince) });
  }

  /**
   * Handles the result of a call, unless the card is gone by then.
   * @template T
   * @param {Promise<T>} promise
   * @param {(value: T) => void} onSuccess
   * @param {(error: ApiError) => void} onFailure
   */
  async settle(promise, onSuccess, onFailure) {
    try {
      const value = await promise;
      if (!this.destroyed) onSuccess(value);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.destroyed) onFailure(error);
    }
  }

  /** Loads the deal and shows it, or the reason why it could not be loaded. */
  async load() {
    if (this.loading) return;
    this.loading = true;
    this.loadingSince = Date.now();
    this.readContacts();
    await this.settle(
      this.api.deal(this.leadId),
      (deal) => {
        this.refresh.succeeded(deal);
        this.store.set(afterLoading(deal));
        this.form.reconcile(deal);
      },
      (error) => {
        this.refresh.failed(error);
        this.store.set(afterFailure(this.store.get(), error));
      },
    );
    this.loading = false;
    this.store.set({ checking: false, slow: false, outdated: this.api.outdated() });
  }

  /** Reads the deal's contacts from Kommo's page again, since a user may have added a number. */
  async readContacts() {
    if (!this.leadId || openLeadId() !== this.leadId) return;
    const contacts = await this.contacts();
    if (!this.destroyed && openLeadId() === this.leadId) this.store.set({ contacts });
  }

  /** Loads the deal again after a failure. */
  retry() {
    this.store.set({ phase: this.store.get().deal ? 'ready' : 'loading', problem: null });
    this.load();
  }

  /** Asks Stripe about open sessions. The answer is stored a moment later; loading it ends the check. */
  async check() {
    if (this.store.get().checking) return;
    this.store.set({ checking: true, refused: null });
    await this.settle(
      this.api.check(this.leadId),
      () => this.refresh.after(1500),
      (refused) => this.store.set({ refused, checking: false }),
    );
  }

  /**
   * Opens the payer's page in a new tab without counting as an opening by the client.
   * @param {string} id of a request
   */
  async preview(id) {
    this.store.set({ refused: null });
    await this.settle(
      openTab(this.api.preview(id)),
      (opened) => !opened && this.view.announce(this.words('setup.blocked')),
      (refused) => this.store.set({ refused }),
    );
  }

  /** Shows or hides earlier links; the choice survives a redraw of the list. @param {boolean} unfolded */
  unfold(unfolded) {
    this.store.set({ unfolded });
  }

  /**
   * Shows or hides a request's QR code.
   * @param {string} id of a request
   * @param {boolean} shown
   */
  showCode(id, shown) {
    const { code } = this.store.get();
    if (shown || code === id) this.store.set({ code: shown ? id : null });
  }

  /** Opens the set-up pages in a new tab. */
  setup() {
    return openSetup(this.api, this.words, (text) => this.view.announce(text));
  }
}
