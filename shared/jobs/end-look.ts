import { SendMessageCommand, type SQSClient, SQSServiceException } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { parseJson } from '../contract/exact-json.ts';
import { type JobRun, runSchema } from '../contract/job-run.ts';
import { END_LOOK_WINDOW_MS } from '../contract/limits.ts';
import { jobNameSchema } from '../contract/message.ts';
import { isThrottled } from './throttling.ts';

/** A run as the queue of looks names it. */
export type NamedRun = Required<{ [Field in keyof JobRun]: NonNullable<JobRun[Field]> }>;

/** The body of a message of the queue of looks: check whether this run has ended. */
const endLookSchema = z.strictObject({ v: z.literal(1), job: jobNameSchema, run: runSchema });

/** The queue that looks are requested on. */
export type EndLookQueue = {
  sqs: SQSClient;
  jobEndQueueUrl: string;
  /** The same for all requesters, see `END_LOOK_WINDOW_MS`. */
  windowMs?: number;
};

/** The number of the window that a moment is in. `now` is in milliseconds since 1970. */
export function endLookWindow(now: number, windowMs: number = END_LOOK_WINDOW_MS): number {
  return Math.floor(now / windowMs);
}

/**
 * Requests a look at a run, which follows the first request of this window after the queue's delay. SQS deduplicates the
 * other requests of a window by their deduplication id, whichever process sends them. Looks at one run are sequential, since
 * the run is their message group.
 */
export async function requestEndLook(
  { sqs, jobEndQueueUrl, windowMs }: EndLookQueue,
  { job, run }: NamedRun,
  now: number = Date.now(),
): Promise<void> {
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: jobEndQueueUrl,
      MessageBody: JSON.stringify({ v: 1, job, run } satisfies z.infer<typeof endLookSchema>),
      MessageGroupId: run,
      MessageDeduplicationId: `${run}-${endLookWindow(now, windowMs)}`,
    }),
  );
}

/**
 * For writers of what may be the last lines of a run, after which no worker requests a look.
 *
 * @throws the error of SQS
 */
export async function requireEndLook(
  { sqs, jobEndQueueUrl }: { sqs: SQSClient; jobEndQueueUrl?: string | undefined },
  { job, run }: JobRun,
): Promise<void> {
  if (jobEndQueueUrl === undefined || run === undefined) return;
  await requestEndLook({ sqs, jobEndQueueUrl }, { job, run });
}

/** For producers and operators, whose work does not depend on the look: the workers of the run request one as well. */
export async function requestEndLookIfAnnounced(
  target: { sqs: SQSClient; jobEndQueueUrl?: string | undefined },
  of: JobRun,
): Promise<void> {
  await requireEndLook(target, of).catch(() => undefined);
}

/** Undefined for a body that is not a request for a look. */
export function parseEndLook(body: string): NamedRun | undefined {
  const { data } = endLookSchema.safeParse(parseJson(body));
  return data && { job: data.job, run: data.run };
}

/** Whether the reason of a refusal is permanent: a deleted queue, a missing permission. */
export function isPermanentRefusal(error: unknown): boolean {
  return error instanceof SQSServiceException && error.$fault === 'client' && !isThrottled(error);
}
