import { parseJson } from '../contract/exact-json.ts';
import type { JobRun } from '../contract/job-run.ts';
import { messageSchema, type QueueMessage } from '../contract/message.ts';
import { MalformedMessage, parseMessage } from '../contract/parse-message.ts';
import { type DeadLetter, type DeadLetterScanOptions, scanDeadLetters } from './dead-letters.ts';
import { requireEndLook } from './end-look.ts';
import { FirstError } from './first-error.ts';
import type { JobTarget } from './job-target.ts';
import { MissingFailures } from './missing-failures.ts';

/** What was found of one run in the DLQ. */
export type SettledMoved = {
  /** Images for which a failure was written. */
  images: number;
  /** Messages in the DLQ that could not be looked at, approximately. */
  notLookedAt: number;
};

/** The time of the failures, and the limits of the scan. */
export type SettleMovedOptions = { now: Date; deadLetterScan?: DeadLetterScanOptions };

/**
 * Writes the missing failures of messages that AWS itself moved to the DLQ: after their last delivery, however it ended, or
 * because Lambda detected a recursive loop. No worker was involved, so none wrote a line. The messages stay in the DLQ:
 * `redrive` sends their images again like all other failed ones.
 *
 * @throws the first error, once all other messages were looked at and a look at the end of the run was requested
 */
export async function settleMoved(
  target: JobTarget,
  of: JobRun,
  { now, deadLetterScan }: SettleMovedOptions,
): Promise<SettledMoved> {
  using missing = new MissingFailures(target, of, { now });
  const errors = new FirstError();
  const look = async (letter: DeadLetter) => {
    const message = movedMessage(letter);
    if (message !== undefined && message.job === of.job && message.run === of.run) {
      await errors.keep(missing.write(message));
    }
    return false;
  };
  const scan = await errors.keep(scanDeadLetters(target, look, deadLetterScan));
  // These lines may be the last of the run: no worker requests a look after them, and a repetition writes none.
  if (missing.images > 0) await errors.keep(requireEndLook(target, of));
  errors.throwIfAny();
  return { images: missing.images, notLookedAt: scan?.notLookedAt ?? 0 };
}

/** Undefined for a dead letter of a worker, which names its error, and for a malformed message. */
export function movedMessage({ body }: Pick<DeadLetter, 'body'>): QueueMessage | undefined {
  const message = parseMessage(body);
  if (message instanceof MalformedMessage) return undefined;
  return sentByWorker(body) ? undefined : message;
}

function sentByWorker(body: string): boolean {
  const { success, data } = messageSchema.safeParse(parseJson(body));
  return success && data.images.every(({ error }) => error !== undefined);
}
