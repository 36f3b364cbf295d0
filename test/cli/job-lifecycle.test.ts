import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, expect, test } from '@jest/globals';
import { CANCELLED_WORK_MS } from '../../shared/contract/limits.ts';
import { formatMessage } from '../../shared/contract/message.ts';
import { partKey, runPartPrefix, uploadPrefix } from '../../shared/contract/object-keys.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { newestRun, readJob, writeJob } from '../../shared/jobs/job-store.ts';
import { msUntilUploadsUnused } from '../../shared/jobs/purge-job.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { eventually } from '../../testkit/eventually.ts';
import { startCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';

const { aws, folder, labelqueue } = await commandTests();

beforeEach(() => aws.clear());

async function statusOf(job: string) {
  const { code, stdout, stderr } = await labelqueue('status', job, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Enqueues so many images that exist and so many that do not. */
async function enqueueJob(job: string, good: number, missing: number, ...options: string[]): Promise<void> {
  const lines = [
    ...Array.from({ length: good }, (_, index) => `https://host/${job}/${index}.jpg`),
    ...Array.from({ length: missing }, (_, index) => `https://host/${job}/missing-${index}.jpg`),
  ];
  const file = await folder.write(`${job}.txt`, lines.join('\n'));
  const { code, stderr } = await labelqueue('enqueue', file, '--job', job, ...options);
  if (code !== 0) throw new Error(stderr);
}

test("error codes in part names may have the names of Object's own properties", async () => {
  // One more than these lines, which no file has: so the names alone are read.
  await enqueueJob('odd', 4, 0);
  const Key = `${runPartPrefix('failures', await newestRun(aws.target, 'odd'))}${'0'.repeat(32)}-n3.__proto__-1.constructor-2.jsonl`;
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body: '', ContentLength: 0 }));
  const { failedByCode } = await statusOf('odd');
  expect(Object.entries(failedByCode)).toEqual([
    ['__proto__', 1],
    ['constructor', 2],
  ]);
});

test('a job goes from running to completed with failures, and is listed', async () => {
  await enqueueJob('cats', 40, 2, '--per-message', '10');
  expect(await statusOf('cats')).toMatchObject({
    state: 'running',
    enqueued: 42,
    classified: 0,
    failed: 0,
    remaining: 42,
    queue: { waiting: 5, inFlight: 0, retrying: 0, deadLetters: 0 },
  });
  await workQueueEmpty(aws, catsButMissing);
  expect(await statusOf('cats')).toMatchObject({
    state: 'completed with failures',
    classified: 40,
    failed: 2,
    failedByCode: { not_found: 2 },
    remaining: 0,
    queue: { waiting: 0, deadLetters: 2 },
  });
  const { stdout } = await labelqueue('status');
  expect(stdout).toMatch(/cats\s+│ completed with failures │ 42\s+│ 40\s+│ 2\s+│ 0/);
});

test('status prints the same as text', async () => {
  await enqueueJob('cats', 3, 1);
  await workQueueEmpty(aws, catsButMissing);
  const { stdout } = await labelqueue('status', 'cats');
  expect(stdout).toContain('job         cats: completed with failures\nenqueued    4\nclassified  3\nfailed      1\n');
  expect(stdout).toContain('1  not_found');
});

test('an unknown job is an error that names it', async () => {
  const { code, stdout, stderr } = await labelqueue('status', 'dogs');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('no job dogs in the bucket labelqueue');
});

test('wait exits with 0 when all images are classified, 3 when some failed, 1 on timeout', async () => {
  await enqueueJob('good', 3, 0);
  expect(await labelqueue('wait', 'good', '--timeout', '1')).toMatchObject({ code: 1 });
  await workQueueEmpty(aws, catsButMissing);
  expect(await labelqueue('wait', 'good')).toMatchObject({ code: 0 });
  await enqueueJob('bad', 3, 1);
  await workQueueEmpty(aws, catsButMissing);
  expect(await labelqueue('wait', 'bad', '--json')).toMatchObject({ code: 3 });
});

test('redrive sends exactly the failures again, and those that then succeed count as classified', async () => {
  await enqueueJob('cats', 5, 2);
  await enqueueJob('dogs', 1, 1);
  await workQueueEmpty(aws, catsButMissing);
  const othersBefore = aws.deadLetters().filter(({ body }) => body.includes('"job":"dogs"'));

  expect((await labelqueue('redrive', 'cats', '--dry-run')).stdout).toBe('job cats: would send 2 images again\n');
  expect(aws.queued()).toEqual([]);
  expect((await labelqueue('redrive', 'cats', '--code', 'corrupt')).stdout).toContain('0 images sent again');
  const { stdout } = await labelqueue('redrive', 'cats', '--code', 'not_found');
  expect(stdout).toBe('job cats: 2 images sent again, 2 dead letters removed\n');

  expect(aws.queued().map(({ body }) => parseMessage(body))).toEqual([
    {
      job: 'cats',
      run: (await newestRun(aws.target, 'cats')).run,
      attempt: 1,
      images: [0, 1].map((index) => {
        const url = `https://host/cats/missing-${index}.jpg`;
        return { id: url, url };
      }),
    },
  ]);
  expect(aws.deadLetters().map(({ body }) => body)).toEqual(othersBefore.map(({ body }) => body));
  expect(await statusOf('cats')).toMatchObject({ state: 'running', classified: 5, failed: 0, remaining: 2 });
  await workQueueEmpty(aws, () => catsButMissing({ id: 'found', url: 'https://host/found.jpg' }));
  expect(await statusOf('cats')).toMatchObject({ state: 'completed', classified: 7, failed: 0, failedByCode: {} });
  expect(await statusOf('dogs')).toMatchObject({ failed: 1 });
});

test('a redrive that was interrupted before the DLQ was cleared is finished by the next', async () => {
  await enqueueJob('cats', 0, 2);
  await workQueueEmpty(aws, catsButMissing);
  for (const Key of await aws.partKeys('failures', 'cats')) {
    await aws.target.s3.send(new DeleteObjectCommand({ Bucket: aws.target.resultsBucket, Key }));
  }
  expect((await labelqueue('redrive', 'cats')).stdout).toBe('job cats: 2 images sent again, 2 dead letters removed\n');
  expect(aws.deadLetters()).toEqual([]);
});

test('redrive --unreadable saves the bodies of malformed messages, and leaves them on the DLQ', async () => {
  await aws.send('not a message');
  const { sqs, deadLetterQueueUrl } = aws.target;
  await sendMessages(sqs, deadLetterQueueUrl, [{ body: 'rubbish', attributes: { reason: 'expected JSON' } }]);
  const out = `${folder.path}/unreadable.jsonl`;
  const { stdout } = await labelqueue('redrive', '--unreadable', '--out', out);
  expect(stdout).toContain('expected JSON');
  expect(stdout).toContain(`1 malformed message saved in ${out}`);
  expect(aws.deadLetters().map(({ body }) => body)).toEqual(['rubbish']);
});

test('purge asks, refuses while the job runs, and removes all files', async () => {
  await enqueueJob('cats', 3, 1);
  expect((await labelqueue('purge', 'cats', '--yes')).stderr).toContain('is running: cancel it');
  await workQueueEmpty(aws, catsButMissing);
  expect((await labelqueue('purge', 'cats')).stderr).toContain('not a terminal: pass --yes to confirm');
  expect((await labelqueue('purge', 'cats', '--yes')).stdout).toBe('job cats: 5 files removed\n');
  expect((await labelqueue('status', 'cats')).code).toBe(1);
});

test('purge leaves the uploads of a job that was just cancelled to the workers that still read them', async () => {
  await enqueueJob('cats', 1, 0);
  const Key = `${uploadPrefix('cats')}a.jpg`;
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body: 'a' }));
  const timeLeft = (afterMs: number) => msUntilUploadsUnused(aws.target, 'cats', Date.now() + afterMs);
  expect(await timeLeft(0)).toBe(0);
  await labelqueue('cancel', 'cats');
  // S3 says when in whole seconds.
  expect(await timeLeft(5_000)).toBeGreaterThan(0);
  expect(await timeLeft(16_000)).toBe(0);
  // The clocks of S3 and of this machine differ by an hour.
  expect(await timeLeft(-3_600_000)).toBe(CANCELLED_WORK_MS);
  const running = startCommand(['purge', 'cats', '--yes'], { environment: aws.environment });
  await eventually('it waits', () => /^waiting \d+ s: workers may still read/m.test(running.stderr()));
  running.interrupt();
  expect((await running.ended).stderr).toMatch(/interrupted: nothing was removed; to start over: .*purge cats --yes/);
  expect(await aws.target.s3.send(new HeadObjectCommand({ Bucket: aws.target.resultsBucket, Key }))).toBeTruthy();
});

test('purge removes what a worker wrote after the last purge, and then there is no such job', async () => {
  await enqueueJob('cats', 1, 0);
  const of = await newestRun(aws.target, 'cats');
  await labelqueue('cancel', 'cats');
  expect((await labelqueue('purge', 'cats', '--yes')).code).toBe(0);
  const Key = partKey('results', of, [{ id: 'late' }]);
  await aws.target.s3.send(new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key, Body: '{}' }));
  expect((await labelqueue('results', 'cats')).stderr).toContain('cats');
  expect((await labelqueue('purge', 'cats', '--yes')).stdout).toBe('job cats: 1 file removed\n');
  expect(await labelqueue('purge', 'cats', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no job cats in the bucket'),
  });
});

test('redrive leaves dead letters of an earlier run, and reports how many', async () => {
  await enqueueJob('cats', 0, 3);
  await workQueueEmpty(aws, catsButMissing);
  await labelqueue('purge', 'cats', '--yes');
  await enqueueJob('cats', 1, 1);
  await workQueueEmpty(aws, catsButMissing);
  expect((await labelqueue('redrive', 'cats')).stdout).toBe(
    'job cats: 1 image sent again, 1 dead letter removed; 3 dead letters of earlier runs left in the DLQ: they are never sent again; delete them in the SQS console, or let them expire\n',
  );
});

test('cancel marks the job, and its images count as cancelled', async () => {
  await enqueueJob('cats', 3, 0);
  expect((await labelqueue('cancel', 'cats')).stdout).toBe('job cats: cancelled with 3 images remaining\n');
  expect(await statusOf('cats')).toMatchObject({ state: 'cancelled', remaining: 3 });
  expect((await labelqueue('redrive', 'cats')).stderr).toContain('is cancelled');
});

test('cancel refuses a job that is completed, and changes nothing', async () => {
  await enqueueJob('cats', 1, 1);
  await workQueueEmpty(aws, catsButMissing);
  expect(await labelqueue('cancel', 'cats')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: 'labelqueue: the job cats is completed with failures: nothing to cancel\n',
  });
  expect(await statusOf('cats')).toMatchObject({ state: 'completed with failures' });
  expect((await labelqueue('redrive', 'cats')).stdout).toContain('1 image sent again');
});

test('a cancelled job is not resumed: it must be purged and enqueued again', async () => {
  await enqueueJob('cats', 2, 0);
  const whole = await readJob(aws.target, 'cats');
  if (whole === undefined) throw new Error('expected the job to have a description');
  // As if its producer had died before the first message.
  await writeJob(aws.target, { ...whole, state: 'enqueuing', sent: 0, messages: 0 });
  await labelqueue('cancel', 'cats');
  const before = aws.queued().length;
  const again = ['enqueue', `${folder.path}/cats.txt`, '--job', 'cats'];
  for (const args of [again, [...again, '--resume']]) {
    expect(await labelqueue(...args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'labelqueue: the job cats was cancelled: purge it first, then enqueue it again\n',
    });
  }
  expect(aws.queued()).toHaveLength(before);
  expect((await labelqueue('redrive', 'cats')).stderr).toBe(
    'labelqueue: the job cats is cancelled: its images would be dropped; purge it and enqueue it again, or enqueue its source under another name with --not-in cats\n',
  );
  await labelqueue('purge', 'cats', '--yes');
  expect(await labelqueue(...again)).toMatchObject({ code: 0 });
});

test.each(['status', 'wait', 'cancel', 'redrive', 'purge', 'results', 'failures', 'report'])(
  '%s of a job that nobody enqueued fails with the same sentence',
  async (command) => {
    const out = command === 'report' ? ['--out', `${folder.path}/none.html`] : [];
    expect(await labelqueue(command, 'nojob', ...out)).toEqual({
      code: 1,
      stdout: '',
      stderr: `labelqueue: no job nojob in the bucket ${aws.target.resultsBucket}: see labelqueue status\n`,
    });
  },
);

test('redrive takes dead letters of a job that was not enqueued with the command', async () => {
  const body = formatMessage({ job: 'foreign', attempt: 1, images: [{ id: 'a', url: 'https://host/a.jpg' }] });
  await sendMessages(aws.target.sqs, aws.target.deadLetterQueueUrl, [{ body }]);
  expect((await labelqueue('redrive', 'foreign')).stdout).toBe(
    'job foreign: 1 image sent again, 1 dead letter removed\n',
  );
});

test('status and wait say how to go on with a job that failed while enqueuing', async () => {
  await enqueueJob('cats', 3, 0);
  const whole = await readJob(aws.target, 'cats');
  if (whole === undefined) throw new Error('expected the job to have a description');
  // As if its producer had been interrupted after three images.
  await writeJob(aws.target, { ...whole, state: 'failed', images: 5 });
  const next = 'to send the rest: labelqueue enqueue … --job cats --resume, with the same source and options';
  expect((await labelqueue('status', 'cats')).stdout).toContain(`\nnext        ${next}\n`);
  expect(await labelqueue('wait', 'cats')).toMatchObject({
    code: 1,
    stderr: `labelqueue: the job cats failed while enqueuing and cannot finish: 3 images sent, 3 remaining; ${next}\n`,
  });
});

test('a finished job has no speed and no remaining time', async () => {
  await enqueueJob('cats', 2, 0);
  await workQueueEmpty(aws, catsButMissing);
  await enqueueJob('dogs', 2, 0, '--per-message', '1');
  await workQueueEmpty(aws, catsButMissing, 1);
  expect(await statusOf('dogs')).toMatchObject({ state: 'running', remaining: 1, secondsLeft: expect.any(Number) });
  expect((await labelqueue('status', 'dogs')).stdout).toContain('\nspeed ');
  await labelqueue('cancel', 'dogs');
  for (const job of ['cats', 'dogs']) {
    const { stdout } = await labelqueue('wait', job, '--json');
    for (const status of [await statusOf(job), JSON.parse(stdout)]) {
      expect(status).not.toHaveProperty('secondsLeft');
      expect(status).toHaveProperty('imagesPerSecond', 0);
    }
    expect((await labelqueue('status', job)).stdout).not.toMatch(/speed|left/);
    expect((await labelqueue('wait', job)).stdout).not.toMatch(/speed|left/);
  }
});

test('status says that images wait for their retry while no message waits or is in flight', async () => {
  await enqueueJob('cats', 2, 0);
  const waiting = 'waiting     for the retry of 2 images\n';
  expect((await labelqueue('status', 'cats')).stdout).not.toContain(waiting);
  const { sqs, queueUrl: QueueUrl } = aws.target;
  const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  // As the worker does with images that it shall try again later.
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: message?.Body, DelaySeconds: 600 }));
  expect((await labelqueue('status', 'cats')).stdout).not.toContain(waiting);
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
  expect((await labelqueue('status', 'cats')).stdout).toContain(
    `${waiting}all jobs    0 messages waiting, 0 in flight, 1 waiting for a retry, 0 in the DLQ\n`,
  );
});
