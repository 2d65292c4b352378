// @ts-check

const INTERVAL = 5000;
const SLOWEST = 60000;
/** A failed link can still be paid. */
const OPEN = ['pending', 'processing', 'failed'];

/** Decides when to load the deal again: regularly while something is open, and at growing intervals after failures. */
export class Refresh {
  /** @param {boolean} wanted false: never, the deal is not saved */
  constructor(wanted) {
    this.next = wanted ? 0 : Number.POSITIVE_INFINITY;
    this.failures = 0;
  }

  /** Whether the deal is to be loaded now. */
  due() {
    return Date.now() >= this.next;
  }

  /** Makes the next load due now, if there is to be one. */
  hurry() {
    if (Number.isFinite(this.next)) this.next = 0;
  }

  /** Makes the next load due after this time. @param {number} milliseconds */
  after(milliseconds) {
    this.next = Date.now() + milliseconds;
  }

  /** Schedules the next load after a success. @param {import('../types.d.ts').Deal} deal */
  succeeded(deal) {
    const open = [...deal.requests, ...deal.payments].some((one) => OPEN.includes(one.state));
    this.failures = 0;
    this.next = open ? Date.now() + INTERVAL : Number.POSITIVE_INFINITY;
  }

  /**
   * Schedules the next load after a failure; after a refusal there is none until a user tries again.
   * @param {import('../api.js').ApiError} error
   */
  failed(error) {
    const wait = Math.min(SLOWEST, INTERVAL * 2 ** this.failures);
    this.failures += 1;
    this.next = error.unsure ? Date.now() + wait : Number.POSITIVE_INFINITY;
  }
}
