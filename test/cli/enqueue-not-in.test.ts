import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PartWriter } from '../../functions/classify/part-writer.ts';
import type { QueueMessage } from '../../shared/contract/message.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { resultLine } from '../../shared/contract/result-line.ts';
import { readJob, writeJob } from '../../shared/jobs/job-store.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';

const { aws, folder } = await commandTests();
beforeEach(() => aws.clear());

function urls(...names: (string | number)[]): string {
  return names.map((name) => `https://host.example/${name}.jpg\n`).join('');
}

async function enqueue(content: string, ...options: string[]): Promise<CommandRun> {
  const file = await folder.write('images.txt', content);
  return runCommand(['enqueue', file, ...options], { environment: aws.environment });
}

function urlsInQueue(): string[] {
  return aws.queued().flatMap(({ body }) => (parseMessage(body) as QueueMessage).images.map(({ url }) => url));
}

/** Enqueues a job and has it done; images named missing fail. */
async function done(job: string, content: string): Promise<void> {
  expect(await enqueue(content, '--job', job)).toMatchObject({ code: 0 });
  await workQueueEmpty(aws, catsButMissing);
}

/** A result of a model with this name and version. */
async function classifiedBy(job: string, name: string, model: { name: string; version: string }): Promise<void> {
  const url = `https://host.example/${name}.jpg`;
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const line = resultLine({ job, image: { id: url, url }, attempt: 1, at: new Date() }, [], model, facts);
  const parts = new PartWriter(aws.target.s3, aws.target.resultsBucket);
  const written = parts.write('results', { job }, [line]);
  parts.flush();
  await written;
}

describe('enqueue --not-in', () => {
  test('sends images that the named jobs have not classified, including failed ones, and counts the others', async () => {
    await done('first', urls('a', 'missing-b'));
    await done('second', urls('c'));
    const run = await enqueue(
      urls('a', 'missing-b', 'c', 'd'),
      '--job',
      'new',
      '--not-in',
      'first',
      '--not-in',
      'second',
    );
    expect(run).toMatchObject({
      code: 0,
      stdout: 'job new: 2 images in 1 message; 2 left out: classified in first and second\n',
    });
    expect(urlsInQueue()).toEqual(['https://host.example/missing-b.jpg', 'https://host.example/d.jpg']);
  });

  test('compares URLs, whatever the ids are, and prints the count as JSON', async () => {
    await done('first', urls('a'));
    const lines = '{"id":"other","url":"https://host.example/a.jpg"}\n{"id":"b","url":"https://host.example/b.jpg"}\n';
    const { stdout } = await enqueue(lines, '--job', 'new', '--not-in', 'first', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ images: 1, leftOut: 1 });
  });

  test('sends nothing, creates no job, and succeeds when everything was classified', async () => {
    await done('first', urls('a', 'b'));
    const run = await enqueue(urls('b', 'a'), '--job', 'new', '--not-in', 'first');
    expect(run).toMatchObject({
      code: 0,
      stdout: 'job new: nothing to send, so it was not made; 2 left out: classified in first\n',
    });
    expect(await readJob(aws.target, 'new')).toBeUndefined();
  });

  test('prints the count in a dry run, which then needs settings', async () => {
    await done('first', urls('a'));
    const dry = await enqueue(urls('a', 'b'), '--not-in', 'first', '--dry-run');
    expect(dry.stdout).toMatch(/^images +1$/m);
    expect(dry.stdout).toMatch(/^left out +1, classified in first$/m);
    const file = join(folder.path, 'images.txt');
    const bare = await runCommand(['enqueue', file, '--not-in', 'first', '--dry-run']);
    expect(bare.code).not.toBe(0);
    expect(bare.stderr).toContain('RESULTS_BUCKET is not set');
  });

  test('an interrupted job is resumed with the same images, whatever the other job has classified since', async () => {
    await done('first', urls('a'));
    const source = urls('a', 'b', 'c');
    await enqueue(source, '--job', 'new', '--per-message', '1', '--not-in', 'first');
    const description = await readJob(aws.target, 'new');
    if (description === undefined) throw new Error('expected the job');
    await writeJob(aws.target, { ...description, state: 'failed', sent: 1, messages: 1 });
    // S3 tells whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await classifiedBy('first', 'b', { name: 'stub', version: '1' });
    for (const options of [['--not-in', 'first'], []]) {
      await writeJob(aws.target, { ...description, state: 'failed', sent: 1, messages: 1 });
      const run = await enqueue(source, '--job', 'new', '--per-message', '1', '--resume', ...options);
      expect(run).toMatchObject({
        code: 0,
        stdout: 'job new: 2 images in 2 messages; 1 left out: classified in first\n',
      });
    }
  });

  test.each([
    ['a job that does not exist', ['--not-in', 'nowhere'], /no job nowhere in the bucket \S+: see labelqueue status/],
    ['--same-model alone', ['--same-model'], /--same-model needs --not-in/],
  ])('refuses %s, and sends nothing', async (_, options, message) => {
    const run = await enqueue(urls('a'), ...options);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/^ +at /m);
    expect(urlsInQueue()).toEqual([]);
  });

  test('refuses a folder, whose images have other URLs in each job', async () => {
    await done('first', urls('a'));
    const run = await runCommand(['enqueue', folder.path, '--not-in', 'first'], { environment: aws.environment });
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain('--not-in compares URLs, and the images of a folder get new ones with each job');
  });
});

test('--same-model leaves out only what this model has classified, in whatever precision', async () => {
  await classifiedBy('first', 'a', { name: 'efficientnet-lite0', version: '1-int8' });
  await classifiedBy('first', 'b', { name: 'efficientnet-lite0', version: '1' });
  await classifiedBy('first', 'c', { name: 'efficientnet-lite0', version: '2' });
  await classifiedBy('first', 'd', { name: 'other', version: '1' });
  const run = await enqueue(urls('a', 'b', 'c', 'd'), '--job', 'new', '--not-in', 'first', '--same-model');
  expect(run).toMatchObject({ code: 0 });
  expect(urlsInQueue()).toEqual(['https://host.example/c.jpg', 'https://host.example/d.jpg']);
});
