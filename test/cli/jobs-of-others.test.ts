import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { jobStatus } from '../../functions/api/routes/jobs.ts';
import { formatMessage, type ImageRef } from '../../shared/contract/message.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { isCancelled } from '../../shared/jobs/job-store.ts';
import { commandTests } from '../support/command-tests.ts';
import { catsButMissing, workQueueEmpty } from '../support/stub-worker.ts';

const { aws, folder, labelqueue } = await commandTests();

beforeEach(() => aws.clear());

const EVENT = {
  Records: [
    {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      eventName: 'ObjectCreated:Put',
      s3: { bucket: { name: 'photos' }, object: { key: 'cat.jpg' } },
    },
  ],
};

function images(...ids: string[]): ImageRef[] {
  return ids.map((id) => ({ id, url: `https://host.example/${id}.jpg` }));
}

/** What of another producer there may be: a job of its name, a bare URL and an event of S3. */
const PRODUCERS: [producer: string, job: string, bodies: string[], classified: number, failed: number][] = [
  [
    'messages with a name',
    'theirs',
    [formatMessage({ job: 'theirs', attempt: 1, images: images('a', 'b', 'c', 'missing-d') })],
    3,
    1,
  ],
  ['bare URLs', 'default', ['https://host.example/a.jpg', 'https://host.example/missing.jpg'], 1, 1],
  ['events of S3', 'default', [JSON.stringify(EVENT)], 1, 0],
];

describe.each(PRODUCERS)('a job of %s', (_producer, job, bodies, classified, failed) => {
  beforeEach(async () => {
    await aws.send(...bodies);
    await workQueueEmpty(aws, catsButMissing);
  });

  test('has a status, whose number of images is not known', async () => {
    const { code, stdout } = await labelqueue('status', job, '--json');
    expect(code).toBe(0);
    const status = JSON.parse(stdout);
    expect(status).toMatchObject({ job, state: 'unknown', classified, failed, countsAreEstimates: false });
    expect(status).not.toHaveProperty('enqueued');
    expect(status).not.toHaveProperty('toGo');
    expect((await labelqueue('status', job)).stdout).toContain(
      `job         ${job}: unknown\nenqueued    not known: not with this command\nclassified  ${classified}\n`,
    );
  });

  test('is in the list of jobs', async () => {
    expect((await labelqueue('status')).stdout).toMatch(
      new RegExp(`${job}\\s+│ unknown\\s+│ -\\s+│ ${classified}\\s+│ ${failed}\\s+│ -`),
    );
  });

  test('has the status in the API', async () => {
    const request = { query: {}, path: { job }, mediaType: '', body: Buffer.alloc(0) };
    const answer = await jobStatus.handle({ ...request, signal: new AbortController().signal, time: () => {} }, {
      target: aws.target,
    } as Parameters<typeof jobStatus.handle>[1]);
    expect(answer).toMatchObject({ status: 200, body: { job, state: 'unknown', classified, failed } });
  });

  test('cannot be waited for: its end is unknown', async () => {
    expect(await labelqueue('wait', job)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`the job ${job} was not enqueued with this command`),
    });
  });

  test('has results and failures', async () => {
    for (const [command, lines] of [
      ['results', classified],
      ['failures', failed],
    ] as const) {
      const { code, stdout, stderr } = await labelqueue(command, job);
      expect({ code, lines: stdout.split('\n').length - 1 }).toEqual({ code: 0, lines });
      expect(stderr).toContain(`job ${job} was not enqueued with this command: more outcomes may be to come`);
    }
  });

  test('has a report', async () => {
    const out = `${folder.path}/${job}.html`;
    expect((await labelqueue('report', job, '--images', '0', '--force', '--out', out)).code).toBe(0);
    expect(await readFile(out, 'utf8')).toContain('Egyptian cat');
  });

  test('can be redriven', async () => {
    expect((await labelqueue('redrive', job, '--dry-run')).stdout).toBe(
      `job ${job}: would send ${failed} image${failed === 1 ? '' : 's'} again\n`,
    );
    await labelqueue('redrive', job);
    const again = aws.queued().map(({ body }) => parseMessage(body));
    expect(again.flatMap((message) => ('images' in message ? message.images : []))).toHaveLength(failed);
    expect(aws.deadLetters()).toEqual([]);
  });

  test('can be cancelled, and the command says what happens to images that are still sent', async () => {
    expect((await labelqueue('cancel', job)).stdout).toBe(
      `job ${job}: cancelled: images that still come for it are dropped, until it is purged\n`,
    );
    expect(await isCancelled(aws.target, { job })).toBe(true);
    expect(JSON.parse((await labelqueue('status', job, '--json')).stdout)).toMatchObject({ state: 'cancelled' });
    expect((await labelqueue('wait', job)).code).toBe(3);
  });

  test('is purged', async () => {
    const files = (failed > 0 ? 1 : 0) + 1;
    expect((await labelqueue('purge', job, '--yes')).stdout).toBe(
      `job ${job}: ${files} file${files === 1 ? '' : 's'} removed\n`,
    );
    expect((await labelqueue('status', job)).code).toBe(1);
    expect((await labelqueue('status')).stdout).toContain('no jobs yet');
  });
});
