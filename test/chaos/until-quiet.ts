import { setTimeout as delay } from 'node:timers/promises';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { messagesLeft } from './queue-state.ts';

const POLL_MS = 250;
/** Looks in a row that must find nothing: a worker may be between its work and its last message. */
const QUIET_LOOKS = 4;
const PROGRESS_MS = 5_000;

/**
 * Waits until there is no message in the queue and no worker at work.
 *
 * @param onProgress called now and then while it waits
 * @returns whether it became quiet in time
 */
export async function untilQuiet(
  target: JobTarget,
  workers: readonly { readonly busy: boolean }[],
  withinSeconds: number,
  onProgress: () => Promise<void>,
): Promise<boolean> {
  const giveUpAt = Date.now() + withinSeconds * 1_000;
  let nextProgressAt = 0;
  let quietLooks = 0;
  while (quietLooks < QUIET_LOOKS) {
    if (Date.now() > giveUpAt) return false;
    if (Date.now() > nextProgressAt) {
      await onProgress();
      nextProgressAt = Date.now() + PROGRESS_MS;
    }
    const quiet = (await messagesLeft(target)) === 0 && !workers.some(({ busy }) => busy);
    quietLooks = quiet ? quietLooks + 1 : 0;
    await delay(POLL_MS);
  }
  return true;
}
