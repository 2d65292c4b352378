// @ts-check
import { ApiError } from '../api.js';
import { createStore } from '../card/store.js';
import { forgetRun, rememberedRun, rememberRun } from './memory.js';
import { bulkView } from './view.js';

/** As many deals as one run takes; Kommo's list shows no more at once. */
export const MOST_LEADS = 250;
const NEXT_LOOK = 1000;
const AFTER_FAULT = 4000;

/**
 * @typedef {{lead_id: number, name: string, amount: string, why: string}} BulkRow
 * @typedef {{total: number, asked: number, not_asked: number, left: number}} BulkProgress
 * @typedef {{
 *   phase: 'loading' | 'empty' | 'preview' | 'sending' | 'running' | 'finished' | 'failed',
 *   rows: BulkRow[], send: boolean, progress: BulkProgress | null, problem: ApiError | null,
 * }} BulkState
 */

/**
 * *Ask for what is open*: what would be asked of each selected deal, one confirmation, and how far the run has come.
 * The server carries the run out; closing the window stops nothing, and opening it again shows where it is.
 */
export class BulkController {
  /**
   * @param {{
   *   api: ReturnType<typeof import('../api.js').backend>,
   *   words: import('../types.d.ts').Words,
   *   leads: number[],
   *   onClose: () => void,
   * }} options
   */
  constructor({ api, words, leads, onClose }) {
    this.api = api;
    this.leads = leads.slice(0, MOST_LEADS);
    this.onClose = onClose;
    this.closed = false;
    /** @type {import('./memory.js').Run | null} sent once or more, with an outcome that nobody knows yet */
    this.run = null;
    /** @type {ReturnType<typeof createStore<BulkState>>} */
    this.store = createStore({ phase: 'loading', rows: [], send: false, progress: null, problem: null });
    this.view = bulkView({ words, cut: leads.length > MOST_LEADS, actions: this });
    this.store.subscribe(this.view.paint);
    const run = rememberedRun();
    if (run) this.follow(run);
    else this.look();
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.view.remove();
    this.onClose();
  }

  /** What would be asked of each deal. */
  async look() {
    if (this.leads.length === 0) {
      this.store.set({ phase: 'empty', problem: null });
      return;
    }
    this.store.set({ phase: 'loading', problem: null });
    await this.settle(
      this.api.listPreview(this.leads),
      ({ rows }) => this.store.set({ phase: 'preview', rows }),
      (problem) => this.store.set({ phase: 'failed', problem }),
    );
  }

  /** @param {boolean} send whether the links go to the clients too */
  choose(send) {
    this.store.set({ send });
  }

  /** The confirmation. The run is remembered before it is sent: an answer that is lost is looked for by its id. */
  async begin() {
    const { phase, rows, send } = this.store.get();
    if (phase !== 'preview') return;
    const leads = rows.filter((row) => row.amount).map((row) => row.lead_id);
    if (leads.length === 0) return;
    this.run ??= { id: crypto.randomUUID(), leads, send };
    const { run } = this;
    rememberRun(run);
    this.store.set({ phase: 'sending', problem: null });
    await this.settle(
      this.api.beginRun({ run_id: run.id, lead_ids: run.leads, send: run.send }),
      (progress) => this.show(run, progress),
      (problem) => {
        if (!problem.unsure) this.forget();
        this.store.set({ phase: 'preview', problem });
      },
    );
  }

  /** @param {import('./memory.js').Run} run */
  async follow(run) {
    await this.settle(
      this.api.runProgress(run.id),
      (progress) => this.show(run, progress),
      (problem) => {
        if (problem.status === 404) {
          this.forget();
          this.look();
          return;
        }
        this.store.set({ problem, phase: this.store.get().progress ? 'running' : 'loading' });
        this.timer = setTimeout(() => this.follow(run), AFTER_FAULT);
      },
    );
  }

  forget() {
    this.run = null;
    forgetRun();
  }

  /** @param {import('./memory.js').Run} run @param {BulkProgress} progress */
  show(run, progress) {
    const isOver = progress.left === 0;
    if (isOver) this.forget();
    else this.timer = setTimeout(() => this.follow(run), NEXT_LOOK);
    this.store.set({ phase: isOver ? 'finished' : 'running', progress, problem: null });
  }

  /**
   * @template T
   * @param {Promise<T>} promise
   * @param {(value: T) => void} onSuccess
   * @param {(error: ApiError) => void} onFailure
   */
  async settle(promise, onSuccess, onFailure) {
    try {
      const value = await promise;
      if (!this.closed) onSuccess(value);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.closed) onFailure(error);
    }
  }
}
