import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readSource } from '../../cli/enqueue/sources/read-source.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import { jobStatus } from '../../shared/jobs/job-status.ts';
import { preflight } from '../../shared/jobs/preflight.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { CLOUDS, type Cloud } from '../support/clouds.ts';
import { runCommand } from '../support/command.ts';
import { startWorkerFleet, type WorkerFleet } from '../support/worker-fleet.ts';

/** Hard for JSON, for XML, for SQS (which refuses some of them), for keys and for terminals. */
const CHARACTERS = [
  '🐱',
  '\u{10FFFF}',
  '\uFFFE',
  '\u0000',
  '\u001B',
  '\u0085',
  'é',
  '猫',
  '"',
  '\\',
  '<&>',
  "'",
  '%2F',
  '+',
  ' ',
];
/** Fetching Java programs and Python packages for the first time takes a while. */
const FIRST_TIME_MS = 180_000;

describe.each(CLOUDS)('with %s', (_name, start) => {
  let cloud: Cloud;
  let images: ImageServer;
  let folder: TemporaryFolder;
  let fleet: WorkerFleet | undefined;

  beforeAll(async () => {
    [cloud, images, folder] = await Promise.all([start(), startImageServer(), createTemporaryFolder()]);
  }, FIRST_TIME_MS);
  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
    await cloud[Symbol.asyncDispose]();
    await images.close();
    await folder[Symbol.asyncDispose]();
  });

  async function labelqueue(...args: string[]) {
    const run = await runCommand(args, { environment: cloud.environment });
    return { ...run, json: () => JSON.parse(run.stdout) };
  }

  async function startWorkers(): Promise<void> {
    const environment = { ALLOWED_HOSTS: images.host, RETRY_BASE_SECONDS: '0' };
    fleet ??= await startWorkerFleet(cloud, { workers: 1, timeoutSeconds: 60, environment });
  }

  function photos(name: string, count: number): { id: string; url: string }[] {
    return Array.from({ length: count }, (_, index) => ({
      id: `${name}-${index}`,
      url: images.url(`/photos/coffee.jpg?${name}=${index}`),
    }));
  }

  /** A list of JSON lines. */
  function list(name: string, rows: object[]): Promise<string> {
    return folder.write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  const linesOf = (stdout: string) =>
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const idsOf = (stdout: string) =>
    linesOf(stdout)
      .map(({ id }) => id)
      .toSorted();

  test('a job that is cancelled before its images are reached stays cancelled', async () => {
    const file = await list('cancelled.jsonl', photos('cancelled', 25));
    expect((await labelqueue('enqueue', file, '--job', 'cancelled', '--per-message', '5')).stdout).toContain(
      '25 images in 5 messages',
    );
    expect((await labelqueue('cancel', 'cancelled')).stdout).toBe('job cancelled: cancelled with 25 images to go\n');
    await startWorkers();
    await eventually('an empty queue', async () => {
      const status = await jobStatus(cloud.target, 'cancelled', new Date());
      return status?.queue.waiting === 0 && status.queue.inFlight === 0;
    });
    expect((await labelqueue('status', 'cancelled', '--json')).json()).toMatchObject({
      state: 'cancelled',
      enqueued: 25,
      classified: 0,
      failed: 0,
      toGo: 25,
    });
    expect(images.totalRequests()).toBe(0);
  });

  test('each image ends in results or failures, and is sent again when it failed', async () => {
    await startWorkers();
    const good = photos('good', 12);
    const once = [1, 2, 3].map((index) => ({ id: `missing-${index}`, url: images.url(`/once/404/${index}`) }));
    const never = { id: 'never', url: images.url('/status/410') };
    const retried = { id: 'retried', url: images.url('/once/503/retried') };
    const file = await list('job.jsonl', [...good, ...once, never, retried]);
    expect((await labelqueue('enqueue', file, '--job', 'cats', '--per-message', '4')).stdout).toContain(
      '17 images in 5 messages',
    );
    expect((await labelqueue('wait', 'cats', '--json')).json()).toMatchObject({
      state: 'completed with failures',
      classified: 13,
      failedByCode: { not_found: 3, gone: 1 },
    });
    expect(idsOf((await labelqueue('failures', 'cats')).stdout)).toEqual([
      'missing-1',
      'missing-2',
      'missing-3',
      'never',
    ]);
    expect((await labelqueue('redrive', 'cats', '--code', 'not_found')).stdout).toBe(
      'job cats: 3 images sent again, 3 dead letters removed\n',
    );
    expect((await labelqueue('wait', 'cats', '--json')).json()).toMatchObject({
      classified: 16,
      failed: 1,
      queue: { deadLetters: 1 },
    });
    const { stdout } = await labelqueue('results', 'cats', '--in-order');
    expect(linesOf(stdout).map(({ id }) => id)).toEqual([...good, ...once, retried].map(({ id }) => id));
    expect(linesOf(stdout).every(({ labels }) => labels.length === 5)).toBe(true);
  });

  test('every character is returned unchanged, in results, failures and dead letters', async () => {
    await startWorkers();
    const row = (character: string, path: string) => ({
      id: `id ${character}`,
      url: images.url(path),
      meta: { [`key ${character}`]: character },
    });
    const rows = CHARACTERS.map((character) => row(character, '/photos/coffee.jpg'));
    const missing = CHARACTERS.map((character) => row(`missing ${character}`, '/status/404'));
    const file = await list('characters.jsonl', [...rows, ...missing]);
    const sent = await labelqueue('enqueue', file, '--job', 'characters');
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringContaining('30 images') });
    await labelqueue('wait', 'characters');
    const idAndMeta = (lines: { id: string; meta: object }[]) => new Map(lines.map(({ id, meta }) => [id, meta]));
    expect(idAndMeta(linesOf((await labelqueue('results', 'characters')).stdout))).toEqual(idAndMeta(rows));
    expect(idAndMeta(linesOf((await labelqueue('failures', 'characters')).stdout))).toEqual(idAndMeta(missing));
    expect((await labelqueue('redrive', 'characters')).stdout).toBe(
      'job characters: 15 images sent again, 15 dead letters removed\n',
    );
    await labelqueue('wait', 'characters');
    expect(idAndMeta(linesOf((await labelqueue('failures', 'characters')).stdout))).toEqual(idAndMeta(missing));
  });

  test('a job whose enqueue was interrupted is completed by --resume, each image once', async () => {
    await startWorkers();
    const rows = photos('resumed', 24);
    const file = await list('resumed.jsonl', rows);
    const { digest, images: found } = await preflight(
      readSource({ path: file, format: 'lines', columns: { urlColumn: undefined, idColumn: undefined, meta: false } }),
      { job: 'resumed', perMessage: 4 },
      () => {},
    );
    const plan = newJob({ job: 'resumed', source: file, sourceDigest: digest, perMessage: 4, images: found });
    async function* interrupted() {
      yield* rows.slice(0, 14);
      throw new Error('interrupted');
    }
    await expect(enqueue(cloud.target, interrupted(), plan)).rejects.toThrow('interrupted');
    expect((await labelqueue('status', 'resumed', '--json')).json()).toMatchObject({ state: 'failed while enqueuing' });
    expect((await labelqueue('enqueue', file, '--job', 'resumed', '--per-message', '4', '--resume')).stdout).toContain(
      '24 images',
    );
    expect((await labelqueue('wait', 'resumed', '--json')).json()).toMatchObject({
      state: 'completed',
      classified: 24,
    });
    expect(idsOf((await labelqueue('results', 'resumed')).stdout)).toEqual(rows.map(({ id }) => id).toSorted());
  });

  test('a malformed message goes to the dead-letter queue with the reason', async () => {
    await startWorkers();
    await sendMessages(cloud.target.sqs, cloud.target.queueUrl, [{ body: '{"v":1,"job":"../x"}' }]);
    const saved = `${folder.path}/unreadable.jsonl`;
    await eventually('one dead letter more', async () => {
      const { json } = await labelqueue('redrive', '--unreadable', '--json', '--force', '--out', saved);
      return json().unreadable === 1;
    });
  });

  test('a purged job leaves no file', async () => {
    await startWorkers();
    expect((await labelqueue('purge', 'cats', '--yes')).stdout).toMatch(/^job cats: \d+ files removed\n$/);
    expect((await labelqueue('status', 'cats')).stderr).toContain('no job cats');
  });
});
