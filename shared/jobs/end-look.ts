import { SendMessageCommand, type SQSClient, SQSServiceException } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { type JobRun, runSchema } from '../contract/job-run.ts';
import { END_LOOK_WINDOW_MS } from '../contract/limits.ts';
import { jobNameSchema } from '../contract/message.ts';
import { isThrottled } from './throttling.ts';

/** A run that the queue of looks knows: each of a version with runs. */
export type NamedRun = Required<{ [Field in keyof JobRun]: NonNullable<JobRun[Field]> }>;

/** The body of a message of the queue of looks: see whether this run has ended. */
const endLookSchema = z.strictObject({ v: z.literal(1), job: jobNameSchema, run: runSchema });

export type EndLookQueue = {
  sqs: SQSClient;
  jobEndQueueUrl: string;
  /** Of all who ask, see `END_LOOK_WINDOW_MS`. */
  windowMs?: number;
};

/** Which window a moment is in. Milliseconds since 1970. */
export function endLookWindow(now: number, windowMs: number = END_LOOK_WINDOW_MS): number {
  return Math.floor(now / windowMs);
}

/**
 * Asks for a look at a run, which comes a delay after the first request of this window. SQS drops the other requests of a
 * window by their deduplication id, whoever sends them; looks at one run come one after the other, since it is their group.
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
 * For those who have written what may be the last lines of a run, and after whom no worker requests a look.
 *
 * @throws what SQS refuses
 */
export async function requireEndLook(
  { sqs, jobEndQueueUrl }: { sqs: SQSClient; jobEndQueueUrl?: string | undefined },
  { job, run }: JobRun,
): Promise<void> {
  if (jobEndQueueUrl === undefined || run === undefined) return;
  await requestEndLook({ sqs, jobEndQueueUrl }, { job, run });
}

/** For producers and operators, whose work is done whether or not somebody looks: the workers of the run ask as well. */
export async function requestEndLookIfAnnounced(
  target: { sqs: SQSClient; jobEndQueueUrl?: string | undefined },
  of: JobRun,
): Promise<void> {
  await requireEndLook(target, of).catch(() => undefined);
}

/** Undefined for what is no request for a look. */
export function parseEndLook(body: string): NamedRun | undefined {
  try {
    const { job, run } = endLookSchema.parse(JSON.parse(body));
    return { job, run };
  } catch {
    return undefined;
  }
}

/** Whether a request was refused for a reason that stays: a queue that is gone, a right that is missing. */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof SQSServiceException && error.$fault === 'client' && !isThrottled(error);
}
