import { type JobEnd, jobEndId, jobEndSchema } from '../../shared/contract/job-end.ts';
import { describeError } from '../../shared/contract/redact.ts';
import { reopenEnd } from '../../shared/jobs/end-hold.ts';
import type { NamedRun } from '../../shared/jobs/end-look.ts';
import {
  ANNOUNCEMENT_TARGETS,
  type AnnouncementTarget,
  type EndedRecord,
  type ReadEndRecord,
  readEndRecord,
  replaceEndRecord,
} from '../../shared/jobs/end-record.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import type { OutcomeCounter } from '../../shared/jobs/outcome-counter.ts';
import { type FoundEnd, hasGoneOn, lookAtRun } from '../../shared/jobs/run-end.ts';

/** Sends an announcement. Rejects when it may not have arrived: it is then sent again, with the same id. */
export type Announce = (end: JobEnd) => Promise<void>;

/** The parts of the announcer: one of each per process. */
export type AnnouncerDependencies = {
  bucket: Pick<JobTarget, 's3' | 'resultsBucket'>;
  counter: OutcomeCounter;
  /** The configured targets of every end. */
  always: Partial<Record<Exclude<AnnouncementTarget, 'webhook'>, Announce>>;
  /** The target of jobs that name a webhook. */
  webhook: (url: string) => Announce;
  log: {
    announced(id: string, where: AnnouncementTarget): void;
    notAnnounced(id: string, where: AnnouncementTarget, reason: string): void;
  };
  now: () => Date;
};

/** What to do with the request for a look; `maxSeconds` as in `RunLook` of `run-end.ts`. */
export type Verdict =
  | { kind: 'done' }
  | { kind: 'again'; inSeconds: number; maxSeconds: number }
  /** An announcement failed: retried with backoff. */
  | { kind: 'not announced' };

const DONE: Verdict = { kind: 'done' };
/** A redrive requests a look when it ends, and every outcome requests another: this request need not outlive a long redrive. */
const MAX_HELD_SECONDS = 900;

/**
 * Checks whether a run has ended, and announces it. Of concurrent looks, the first to write the end record wins: its record,
 * and so its id, is what any of them announces. What was sent is written into the record, so a later look costs one request.
 *
 * @param signal ends a look that takes too long
 */
export async function announceEnd(
  of: NamedRun,
  dependencies: AnnouncerDependencies,
  signal: AbortSignal,
): Promise<Verdict> {
  const { bucket, counter, now } = dependencies;
  const { record, etag } = await readNewestEnd(of, dependencies);
  if (record?.state === 'ended') return announce(of, { record, etag }, dependencies);
  const heldMs = (record?.heldUntil ?? 0) - now().getTime();
  if (heldMs > 0) return { kind: 'again', inSeconds: Math.ceil(heldMs / 1_000), maxSeconds: MAX_HELD_SECONDS };
  const look = await lookAtRun(bucket, of, { now: now(), counter, signal });
  if (look.kind === 'look again') return { ...look, kind: 'again' };
  if (look.kind === 'goes on') return DONE;
  const found = endedRecord(look.end, record?.generation ?? 0);
  const written = await replaceEndRecord(bucket, of, found, etag);
  // Another look, or a redrive, wrote its record first: that one counts.
  if (written === undefined) return { kind: 'again', inSeconds: 1, maxSeconds: MAX_HELD_SECONDS };
  return announce(of, { record: found, etag: written }, dependencies);
}

/** A producer that counted as dead may only have been silent: its run then continues, and ends again. */
async function readNewestEnd(of: NamedRun, { bucket, now }: AnnouncerDependencies): Promise<ReadEndRecord> {
  const read = await readEndRecord(bucket, of);
  if (read.record?.state !== 'ended') return read;
  if (!(await hasGoneOn(bucket, of, { end: read.record.end, now: now() }))) return read;
  await reopenEnd(bucket, of);
  return readEndRecord(bucket, of);
}

/** Its fields are in the order of the schema, so that every announcement is the same text. */
function endedRecord(found: FoundEnd, generation: number): EndedRecord {
  const end = jobEndSchema.parse({ v: 1, id: jobEndId({ ...found, generation }), generation, ...found });
  return { v: 1, state: 'ended', generation, end, sent: [], announced: false };
}

type ReadEnded = { record: EndedRecord; etag: string | undefined };

async function announce(
  of: NamedRun,
  { record, etag }: ReadEnded,
  dependencies: AnnouncerDependencies,
): Promise<Verdict> {
  if (record.announced) return DONE;
  const { end } = record;
  const sent = new Set(record.sent);
  let failures = 0;
  for (const [where, send] of await toSend(of, dependencies)) {
    if (sent.has(where)) continue;
    try {
      await send(end);
      sent.add(where);
      dependencies.log.announced(end.id, where);
    } catch (error) {
      failures++;
      dependencies.log.notAnnounced(end.id, where, describeError(error));
    }
  }
  const after = { ...record, sent: [...sent], announced: failures === 0 };
  await replaceEndRecord(dependencies.bucket, of, after, etag);
  return failures === 0 ? DONE : { kind: 'not announced' };
}

/** The webhook is last: it belongs to a third party, and may be slow. */
async function toSend(
  of: NamedRun,
  { bucket, always, webhook }: AnnouncerDependencies,
): Promise<[AnnouncementTarget, Announce][]> {
  const job = await readJob(bucket, of.job);
  const notify = job?.run === of.run ? job.notify : undefined;
  const all = { ...always, ...(notify !== undefined && { webhook: webhook(notify) }) };
  return ANNOUNCEMENT_TARGETS.flatMap((where) => {
    const send = all[where];
    return send === undefined ? [] : [[where, send]];
  });
}
