// @ts-check
// One line a step: rewritten in place while it is at work on a terminal, written once elsewhere.

const REDRAW_MS = 200;
const BAR_WIDTH = 20;
/** Of a terminal that does not know its size. */
const DEFAULT_COLUMNS = 80;

/**
 * How far a phase of a step is.
 *
 * @typedef {object} Measure
 * @property {() => number} bytes
 * @property {number} of
 */

/** Shows the step at work. */
export class Progress {
  /** @param {NodeJS.WriteStream} out */
  constructor(out) {
    this.out = out;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    this.title = '';
    this.phase = '';
    /** @type {Measure | undefined} */
    this.measure = undefined;
    this.startedAt = 0;
  }

  /** @param {string} title */
  begin(title) {
    this.title = title;
    this.startedAt = Date.now();
    this.report('');
    if (!this.out.isTTY) return;
    this.timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#draw();
  }

  /**
   * @param {string} phase  what the step is doing now
   * @param {Measure} [measure]
   */
  report(phase, measure) {
    this.phase = phase;
    this.measure = measure;
  }

  /** The step is finished: its line stays. */
  done() {
    this.clear();
    this.note(`${this.title} (${this.#seconds().toFixed(1)} s)`);
  }

  /** Takes away the line of a step that is not finished. */
  clear() {
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.out.isTTY) this.out.write('\r\x1b[K');
  }

  /** @param {string} text */
  note(text) {
    this.out.write(`set-up: ${text}\n`);
  }

  #draw() {
    const parts = [this.title, this.phase, this.measure && bar(this.measure), `${Math.floor(this.#seconds())} s`];
    const line = `set-up: ${parts.filter(Boolean).join('  ')}`;
    // A line that wraps could not be rewritten.
    this.out.write(`\r\x1b[K${line.slice(0, (this.out.columns || DEFAULT_COLUMNS) - 1)}`);
  }

  #seconds() {
    return (Date.now() - this.startedAt) / 1000;
  }
}

/** @param {Measure} measure */
function bar({ bytes, of }) {
  const done = Math.min(bytes(), of);
  const filled = Math.round((done / of) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${megabytes(done)} of ${megabytes(of)} MB`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}
