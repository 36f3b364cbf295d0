/**
 * Sends the logs of systemd units to CloudWatch Logs, which extracts the worker's metrics from the lines, as Lambda does by itself.
 * Continues where it ended last time, so that no line counts twice in a metric.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { z } from 'zod';
import { SDK_REQUEST_OPTIONS } from '../../shared/contract/limits.ts';
import { batched } from './batches.ts';
import { type JournalEntry, journal } from './journal.ts';

const settingsSchema = z.object({
  LOG_GROUP_NAME: z.string().min(1),
  LOG_STREAM_NAME: z.string().min(1),
  STATE_FOLDER: z.string().min(1),
});

/** The units whose logs are sent; the last one is what starts them, if its log is in the journal. */
const UNITS = ['labelqueue-worker.service', 'labelqueue-lifecycle.service', 'cloud-final.service'];

/** Limits of a request. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const MAX_EVENTS = 10_000;
const MAX_BYTES = 1_048_576;
/** The overhead that CloudWatch counts per event. */
const EVENT_BYTES = 26;
/** Far longer than any line of the worker. */
const MAX_TEXT_BYTES = 256 * 1024 - EVENT_BYTES;
/** A batch may span at most 24 hours; this is the limit to each side of its first event. */
const MAX_FROM_FIRST_MS = 12 * 3_600_000 - 1;
const MAX_WAIT_MS = 2_000;
const PAUSE_MS = 5_000;
/** How long lines that were written just before the end may take to arrive through the journal. */
const LAST_LINES_MS = 1_000;

const settings = settingsSchema.parse(process.env);
const place = join(settings.STATE_FOLDER, 'cursor');
const logs = new CloudWatchLogsClient({ requestHandler: SDK_REQUEST_OPTIONS });
const stopping = new AbortController();
process.once('SIGTERM', () => setTimeout(() => stopping.abort(), LAST_LINES_MS));

await createStream();
const entries = journal({ units: UNITS, after: await savedCursor(), signal: stopping.signal });
const limits = { maxItems: MAX_EVENTS, maxBytes: MAX_BYTES, maxWaitMs: MAX_WAIT_MS, bytesOf, fits };
for await (const batch of batched(entries, limits)) {
  await send(batch);
  await saveCursor(batch.at(-1)?.cursor ?? '');
}

function bytesOf({ text }: JournalEntry): number {
  return Math.min(Buffer.byteLength(text), MAX_TEXT_BYTES) + EVENT_BYTES;
}

function fits(first: JournalEntry, { timestamp }: JournalEntry): boolean {
  return Math.abs(timestamp - first.timestamp) <= MAX_FROM_FIRST_MS;
}

async function createStream(): Promise<void> {
  const { LOG_GROUP_NAME: logGroupName, LOG_STREAM_NAME: logStreamName } = settings;
  try {
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  } catch (error) {
    if ((error as Error).name !== 'ResourceAlreadyExistsException') throw error;
  }
}

/** Retries until CloudWatch accepts the batch; meanwhile the journal keeps later lines. The last try is after the signal. */
async function send(batch: readonly JournalEntry[]): Promise<void> {
  const { LOG_GROUP_NAME: logGroupName, LOG_STREAM_NAME: logStreamName } = settings;
  const logEvents = batch
    .filter(({ text }) => text !== '')
    .map(({ text, timestamp }) => ({ message: clipped(text), timestamp }))
    .sort((a, b) => a.timestamp - b.timestamp);
  if (logEvents.length === 0) return;
  for (;;) {
    const isLast = stopping.signal.aborted;
    try {
      await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
      return;
    } catch (error) {
      process.stderr.write(`labelqueue: logs are not taken: ${(error as Error).message}\n`);
      if (isLast) throw error;
      await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
}

function clipped(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= MAX_TEXT_BYTES ? text : bytes.subarray(0, MAX_TEXT_BYTES).toString();
}

async function savedCursor(): Promise<string | undefined> {
  return readFile(place, 'utf8').catch(() => undefined);
}

async function saveCursor(cursor: string): Promise<void> {
  await writeFile(`${place}.new`, cursor);
  await rename(`${place}.new`, place);
}
