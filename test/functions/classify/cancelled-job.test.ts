import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FailureRateGuard } from '../../../functions/classify/failure-rate-guard.ts';
import { PartWriter } from '../../../functions/classify/part-writer.ts';
import { ImageError } from '../../../shared/contract/error-codes.ts';
import type { JobDescription } from '../../../shared/contract/job-description.ts';
import type { JobRun } from '../../../shared/contract/job-run.ts';
import { MIN_OUTCOMES_FOR_FAILURE_RATE } from '../../../shared/contract/limits.ts';
import { packMessages } from '../../../shared/contract/pack-messages.ts';
import { failureLine, resultLine } from '../../../shared/contract/result-line.ts';
import { cancelJob, isCancelled, writeJob } from '../../../shared/jobs/job-store.ts';
import { eventually } from '../../support/eventually.ts';
import { type ImageServer, startImageServer } from '../../support/image-server.ts';
import { startTestAws, type TestAws } from '../../support/test-aws.ts';
import { startWorkerFleet } from '../../support/worker-fleet.ts';

let aws: TestAws;
let server: ImageServer;

beforeAll(async () => {
  aws = await startTestAws();
  server = await startImageServer();
});
afterAll(async () => {
  await aws.stop();
  await server.close();
});
beforeEach(() => aws.clear());

test('the images of a cancelled job are acknowledged without being fetched, those of others are classified', async () => {
  await cancelJob(aws.target, { job: 'cancelled' }, 'test');
  for (const job of ['cancelled', 'wanted']) {
    const url = server.url(`/photos/coffee.jpg?${job}`);
    for await (const { body } of packMessages({ job, attempt: 1 }, [{ id: job, url }])) await aws.send(body);
  }
  await using _fleet = await startWorkerFleet(aws, {
    workers: 1,
    timeoutSeconds: 60,
    environment: { ALLOWED_HOSTS: server.host },
  });
  await eventually('an empty queue', () => aws.queued().length === 0, 60_000);
  expect(await aws.results('wanted')).toHaveLength(1);
  expect([await aws.results('cancelled'), await aws.failures('cancelled'), aws.deadLetters()]).toEqual([[], [], []]);
  expect(server.requests('/photos/coffee.jpg')).toBe(1);
}, 120_000);

test('too many failures of an earlier run cancel neither it nor the newest one', async () => {
  const [earlier, newest] = ['0'.repeat(16), '1'.repeat(16)];
  await describeCats({ run: newest, maxFailureRate: 0.2 });
  await writeOutcomes({ job: 'cats', run: earlier }, 0, 300);
  const guard = new FailureRateGuard(aws.target);
  for (const run of [earlier, newest]) await guard.sawFailures({ job: 'cats', run }, 0);
  for (const run of [earlier, newest]) expect(await isCancelled(aws.target, { job: 'cats', run })).toBe(false);
  await writeOutcomes({ job: 'cats', run: newest }, 0, 300);
  await guard.sawFailures({ job: 'cats', run: newest }, 60_000);
  expect(await isCancelled(aws.target, { job: 'cats', run: newest })).toBe(true);
});

/** Writes outcomes as workers do, all in one part of each kind. */
async function writeOutcomes(of: JobRun, classified: number, failed: number): Promise<void> {
  const origin = (id: string) => ({ ...of, image: { id, url: `https://host/${id}` }, attempt: 1, at: new Date() });
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const error = new ImageError('not_found', 'expected status 200, got 404').report();
  const results = Array.from({ length: classified }, (_, index) =>
    resultLine(origin(`good-${index}`), [], { name: 'stub', version: '1' }, facts),
  );
  const failures = Array.from({ length: failed }, (_, index) => failureLine(origin(`bad-${index}`), error));
  const parts = new PartWriter(aws.target.s3, aws.target.resultsBucket);
  const written = [parts.write('results', of, results), parts.write('failures', of, failures)];
  parts.flush();
  await Promise.all(written);
}

async function describeCats(more: Partial<JobDescription>): Promise<void> {
  const at = new Date().toISOString();
  const numbers = { perMessage: 100, images: 1_000, sent: 1_000, messages: 10 };
  const source = { source: 'cats.txt', sourceDigest: '' };
  const times = { startedAt: at, updatedAt: at };
  await writeJob(aws.target, { v: 1, job: 'cats', state: 'enqueued', ...source, ...numbers, ...times, ...more });
}

test.each([
  ['is cancelled when more than the share failed', 150, 50, 0.2, true],
  ['goes on when just the share failed', 160, 40, 0.2, false],
  ['goes on while there are too few outcomes', 0, MIN_OUTCOMES_FOR_FAILURE_RATE - 1, 0.2, false],
  ['goes on when its producer set no share', 0, 300, undefined, false],
])('a job %s', async (_, classified, failed, maxFailureRate, cancelled) => {
  await describeCats(maxFailureRate === undefined ? {} : { maxFailureRate });
  await writeOutcomes({ job: 'cats' }, classified, failed);
  await new FailureRateGuard(aws.target).sawFailures({ job: 'cats' }, 0);
  expect(await isCancelled(aws.target, { job: 'cats' })).toBe(cancelled);
});
