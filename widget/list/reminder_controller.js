// @ts-check

/** The user's actions on the deal's reminders. */
export class ReminderController {
  /** @param {import('../card/controller.js').CardController} card */
  constructor(card) {
    this.card = card;
  }

  /**
   * Skips or sends the next reminder of a link; a second press finds that another one is next.
   * @param {string} id of a request
   * @param {'skip' | 'send'} what
   * @param {string} step
   */
  remind(id, what, step) {
    return this.change(this.card.api.remind(id, what, step), `reminder.${what}_done`);
  }

  /** Stops or resumes all reminders of the deal. @param {boolean} stopped */
  stop(stopped) {
    const said = stopped ? 'reminder.stopped' : 'reminder.goes_on';
    return this.change(this.card.api.stopReminders(this.card.leadId, stopped), said);
  }

  /**
   * Awaits the call and shows the deal's reminders, or why they were not changed.
   * @param {Promise<import('../types.d.ts').Reminders>} change
   * @param {string} said
   */
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
