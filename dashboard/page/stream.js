// @ts-check

/** @import { Snapshot } from '../contract/events.ts' */
/** @import { JobDetail } from '../contract/jobs.ts' */
/** @import { History } from '../contract/queue.ts' */
/** @import { Range } from '../contract/units.ts' */

/**
 * @typedef {object} Listener
 * @property {(snapshot: Snapshot) => void} onSnapshot
 * @property {(history: History) => void} onHistory
 * @property {(job: JobDetail) => void} onJob
 * @property {(job: string) => void} onJobMissing
 * @property {(isConnected: boolean) => void} onConnection called for each change and each event
 */

/** Snapshots arrive every two seconds: after this time without one, the connection counts as broken. */
const SILENCE_MS = 20_000;
/** A hidden tab closes its stream after this time. */
const HIDDEN_MS = 60_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/**
 * The events of the server while the page is open. Reconnects automatically, however long the server is unreachable.
 */
export class Stream {
  /** @param {Listener} listener */
  constructor(listener) {
    /** @type {EventSource | undefined} */
    this.source = undefined;
    this.listener = listener;
    this.path = '';
    this.waitMs = FIRST_WAIT_MS;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.hiddenTimer = undefined;
    // Reconnects at once when a machine wakes up.
    addEventListener('online', () => this.#connect());
    document.addEventListener('visibilitychange', () => this.#followVisibility());
  }

  /**
   * @param {Range} range of the history
   * @param {string | undefined} job whose details are sent as well
   */
  follow(range, job) {
    const query = new URLSearchParams({ range, ...(job !== undefined && { job }) });
    const path = `/api/events?${query}`;
    if (path === this.path) return;
    this.path = path;
    this.#connect();
  }

  /** Hidden tabs do not cause polling; a tab that is hidden briefly misses nothing. */
  #followVisibility() {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) this.hiddenTimer = setTimeout(() => this.#rest(), HIDDEN_MS);
    else if (this.source === undefined) this.#connect();
  }

  #rest() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  #connect() {
    this.source?.close();
    const source = new EventSource(this.path);
    this.source = source;
    this.#expectEvents();
    source.addEventListener('error', () => this.#lost());
    const { onSnapshot, onHistory, onJob, onJobMissing } = this.listener;
    this.#on(source, 'snapshot', onSnapshot);
    this.#on(source, 'history', onHistory);
    this.#on(source, 'job', onJob);
    this.#on(source, 'job-missing', ({ job }) => onJobMissing(job));
  }

  /**
   * @param {EventSource} source
   * @param {string} name
   * @param {(data: any) => void} receive
   */
  #on(source, name, receive) {
    source.addEventListener(name, (event) => {
      this.waitMs = FIRST_WAIT_MS;
      this.#expectEvents();
      this.listener.onConnection(true);
      receive(JSON.parse(event.data));
    });
  }

  #expectEvents() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #lost() {
    this.source?.close();
    this.listener.onConnection(false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#connect(), this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, LONGEST_WAIT_MS);
  }
}
