import { SingleBar } from 'cli-progress';
import { drawingSurface, onTerminal, printNote } from './terminal.ts';

export type Progress = {
  /** @param done how many so far */
  update(done: number, note?: string): void;
  stop(): void;
};

/** How much of the total must be new before a plain line says so again. */
const PLAIN_LINE_SHARE = 0.1;

/** Progress on standard error: a bar on a terminal, a plain line now and then elsewhere. */
export function startProgress(what: string, total: number): Progress {
  return onTerminal.notes ? bar(what, total) : plainLines(what, total);
}

function bar(what: string, total: number): Progress {
  const single = new SingleBar({
    format: `${what} {bar} {value}/{total}  {note}`,
    stream: drawingSurface(),
    clearOnComplete: false,
    hideCursor: true,
    gracefulExit: true,
  });
  single.start(total, 0, { note: '' });
  return {
    update: (done, note = '') => single.update(done, { note }),
    stop: () => single.stop(),
  };
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
