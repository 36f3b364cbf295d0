import { SingleBar } from 'cli-progress';
import { onTerminal, printNote, progressStream, stderrSize } from './terminal.ts';

export type Progress = {
  /** @param done how many so far */
  update(done: number, note?: string): void;
  stop(): void;
};

/** Columns of a bar: shorter ones show nothing. */
const MIN_BAR = 10;
const MAX_BAR = 40;
const [FULL, EMPTY] = ['█', '░'];

/** Progress between two plain lines, as a fraction of the total. */
const PLAIN_LINE_SHARE = 0.1;

/** Progress on standard error: a bar on a terminal, a plain line now and then elsewhere. */
export function startProgress(what: string, total: number): Progress {
  return onTerminal.notes ? bar(what, total) : plainLines(what, total);
}

function bar(what: string, total: number): Progress {
  const single = new SingleBar({
    format: (_options, { value }, { note }) => barLine({ what, value, total, note }, stderrSize().columns),
    stream: progressStream(),
    clearOnComplete: false,
    // The cursor stays visible and wrapping stays on, so that nothing has to be restored however the command ends.
    hideCursor: false,
    linewrap: true,
    // The command handles Ctrl-C.
    gracefulExit: false,
  });
  single.start(total, 0, { note: '' });
  return {
    update: (done, note = '') => single.update(done, { note }),
    stop: () => single.stop(),
  };
}

/** The state of a progress bar. */
export type BarState = { what: string; value: number; total: number; note: string };

/**
 * One line that fits the terminal: a narrow one drops the note first, then the bar.
 *
 * @param columns of the terminal; one of them stays free
 */
export function barLine({ what, value, total, note }: BarState, columns: number): string {
  const room = columns - 1;
  const figures = `${value}/${total}`;
  const shownNote = what.length + figures.length + note.length + MIN_BAR + 4 <= room ? note : '';
  const rest = `${figures}${shownNote === '' ? '' : `  ${shownNote}`}`;
  const width = Math.min(MAX_BAR, room - what.length - rest.length - 2);
  if (width < MIN_BAR) return `${what} ${rest}`.slice(0, room);
  const filled = Math.round(width * Math.min(1, total === 0 ? 1 : value / total));
  return `${what} ${FULL.repeat(filled)}${EMPTY.repeat(width - filled)} ${rest}`;
}

function plainLines(what: string, total: number): Progress {
  let lastShown = 0;
  return {
    update(done, note = '') {
      if (done === lastShown || (done < total && done - lastShown < total * PLAIN_LINE_SHARE)) return;
      lastShown = done;
      printNote(`${what} ${done}/${total}  ${note}`.trimEnd().concat('\n'));
    },
    stop() {},
  };
}
