// @ts-check

/** What a person does with the deal's reminders. */
export class ReminderController {
  /** @param {import('../card/controller.js').CardController} card */
  constructor(card) {
    this.card = card;
  }

  /**
   * The next reminder of a link is skipped, or sent now; a second press finds that it is not the next any more.
   * @param {string} id of a request
   * @param {'skip' | 'send'} what
   * @param {string} step
   */
  remind(id, what, step) {
    return this.change(this.card.api.remind(id, what, step), `reminder.${what}_done`);
  }

  /** @param {boolean} stopped */
  stop(stopped) {
    const said = stopped ? 'reminder.stopped' : 'reminder.goes_on';
    return this.change(this.card.api.stopReminders(this.card.leadId, stopped), said);
  }

  /** @param {Promise<import('../types.d.ts').Reminders>} change @param {string} said */
  async change(change, said) {
    const { store, view, words } = this.card;
    store.set({ refused: null });
    const show = (/** @type {import('../types.d.ts').Reminders} */ reminders) => {
      const { deal } = store.get();
      if (deal) store.set({ deal: { ...deal, reminders } });
      view.announce(words(said));
    };
    await this.card.settle(change, show, (refused) => store.set({ refused }));
  }
}
