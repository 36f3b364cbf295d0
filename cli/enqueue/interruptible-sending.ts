import { counted } from '../terminal/counted.ts';
import { interruptible, rerunCommand } from '../terminal/interruption.ts';
import { type Progress, startProgress } from '../terminal/progress.ts';

export type InterruptibleSending = {
  /** Aborted by Ctrl-C and the like. */
  signal: AbortSignal;
  /** Starts the progress bar for this number of images. */
  started(images: number): Progress;
};

/** Handles interruption of sending: prints what was sent, and the command that sends the rest. */
export function interruptibleSending(
  job: string,
  { job: given, resume }: { job?: string; resume?: true },
): InterruptibleSending {
  const name = given === undefined ? ['--job', job] : [];
  let state = 'nothing was sent';
  let added = name;
  const signal = interruptible(() => `interrupted: ${state}; continue with: ${rerunCommand(...added)}`);
  return {
    signal,
    started(images: number): Progress {
      const progress = startProgress('enqueued', images);
      added = resume ? name : [...name, '--resume'];
      const update: Progress['update'] = (sent, note) => {
        state = `${sent} of ${counted(images, 'image')} sent`;
        progress.update(sent, note);
      };
      update(0);
      return { ...progress, update };
    },
  };
}
