import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import type { Gallery, JobDetail } from '../../../dashboard/contract/jobs.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { failure, result, writeParts } from '../../../testkit/job-outcomes.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { dashboardTests } from '../../support/dashboard-tests.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { answerOf, startTestDashboard } from '../../support/test-dashboard.ts';

const [aws, images] = await sharedByTests(startTestAws(), startImageServer());
const dashboard = dashboardTests(aws, { allowedHosts: images.host });

let number = 0;
/** A result line of its own bytes. */
function pictureOf(url: string, score = 0.9) {
  number++;
  return result(`picture-${number}`, { cat: score }, { url, sha256: String(number).padStart(64, '0') });
}

async function gallery(...urls: string[]): Promise<Gallery> {
  await writeParts(
    aws.target,
    'results',
    urls.map((url, index) => pictureOf(url, 0.9 - index / 100)),
  );
  return dashboard.json('/api/jobs/cats/gallery');
}

test('a picture of the gallery is a small WebP, which is fetched once', async () => {
  const { images: shown } = await gallery(images.url('/photos/coffee.jpg?shown=once'));
  const [{ thumbnail } = { thumbnail: '' }] = shown;
  const before = images.requests('/photos/coffee.jpg');
  const answers = await Promise.all([1, 2, 3].map(() => dashboard.get(thumbnail)));
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/webp');
    const { width, height, format } = await sharp(await answer.arrayBuffer()).metadata();
    expect({ width, height, format }).toEqual({ width: 240, height: 240, format: 'webp' });
  }
  await dashboard.get(thumbnail);
  expect(images.requests('/photos/coffee.jpg') - before).toBe(1);
});

test('an image that cannot be fetched any more says why, and is requested once', async () => {
  const { images: shown } = await gallery(images.url('/status/404'));
  const [{ thumbnail } = { thumbnail: '' }] = shown;
  for (const _again of [1, 2]) {
    const answer = await dashboard.get(thumbnail);
    expect(await answerOf(answer)).toEqual({
      status: 404,
      error: { code: 'picture-unavailable', message: expect.stringContaining('not_found') },
    });
  }
});

test.each([
  'http://127.0.0.1:9/secret',
  'http://169.254.169.254/latest/meta-data/',
  'file:///etc/passwd',
  's3://other-bucket/a.jpg',
])("an image at %s is not fetched, by the worker's rules", async (url) => {
  const { images: shown } = await gallery(url);
  const answer = await dashboard.get(shown[0]?.thumbnail ?? '');
  expect(await answerOf(answer)).toMatchObject({
    status: 404,
    error: { code: 'picture-unavailable', message: expect.stringMatching(/_not_allowed|unsupported|invalid_url/) },
  });
});

test('a browser cannot request an image that was not shown', async () => {
  await gallery(images.url('/photos/coffee.jpg'));
  const before = images.totalRequests();
  const url = encodeURIComponent(images.url('/photos/rocket.jpg'));
  for (const token of ['x'.repeat(22), url, 'picture-1', '..%2f..']) {
    expect((await dashboard.get(`/api/jobs/cats/thumbnails/${token}`)).status).toBe(404);
  }
  expect(images.totalRequests()).toBe(before);
});

test('images with the same bytes are shown once, the highest score first', async () => {
  await writeParts(aws.target, 'results', [
    result('a', { cat: 0.5 }),
    result('b', { cat: 0.9 }),
    result('c', { dog: 0.7 }, { sha256: 'c'.repeat(64) }),
  ]);
  const all = await dashboard.json<Gallery>('/api/jobs/cats/gallery');
  expect(all.images.map(({ id }) => id)).toEqual(['b', 'c']);
  const dogs = await dashboard.json<Gallery>('/api/jobs/cats/gallery?label=dog');
  expect(dogs.images.map(({ id }) => id)).toEqual(['c']);
  expect((await dashboard.get('/api/jobs/cats/gallery?limit=0')).status).toBe(400);
  expect((await dashboard.get('/api/jobs/birds/gallery')).status).toBe(404);
});

test('gallery and labels of a job that is not on display are read again when its files have changed', async () => {
  const shown = async () => (await dashboard.json<Gallery>('/api/jobs/cats/gallery')).images.length;
  const labels = async () => (await dashboard.json<JobDetail>('/api/jobs/cats')).content?.labels.length;
  await writeParts(aws.target, 'results', [pictureOf('https://host.example/1')]);
  expect([await shown(), await labels()]).toEqual([1, 1]);
  await writeParts(aws.target, 'results', [result('dog', { dog: 0.9 })]);
  const now = Date.now.bind(Date);
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 16_000);
  await eventually('the labels', async () => (await labels()) === 2);
  await writeParts(aws.target, 'results', [pictureOf('https://host.example/2')]);
  clock.mockImplementation(() => now() + 32_000);
  expect(await shown()).toBe(3);
  clock.mockRestore();
});

test.each(['csv', 'jsonl', 'parquet'] as const)(
  'the results of a job come as %s, as `labelqueue results` has them',
  async (format) => {
    await writeParts(aws.target, 'results', [result('a'), result('b', { dog: 0.8 })]);
    await writeParts(aws.target, 'failures', [failure('c')]);
    const answer = await dashboard.get(`/api/jobs/cats/results.${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="cats.results.${format}"`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(Number(answer.headers.get('content-length'))).toBe(bytes.length);
    if (format === 'parquet') expect(bytes.toString('latin1', 0, 4)).toBe('PAR1');
    const rows: { id: string }[] =
      format === 'csv'
        ? parse(bytes, { columns: true, bom: true })
        : format === 'jsonl'
          ? bytes
              .toString()
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line))
          : [{ id: 'a' }, { id: 'b' }];
    expect(rows.map(({ id }) => id).sort()).toEqual(['a', 'b']);
  },
);

test('failures can be downloaded, too, one download at a time; an unknown job has none', async () => {
  await writeParts(aws.target, 'failures', [failure('a')]);
  const answer = await dashboard.get('/api/jobs/cats/failures.csv');
  expect(await answer.text()).toContain('not_found');
  expect((await dashboard.get('/api/jobs/cats/failures.jsonl')).status).toBe(200);
  expect((await dashboard.get('/api/jobs/dogs/failures.csv')).status).toBe(404);
  expect((await dashboard.get('/api/jobs/cats/failures.xlsx')).status).toBe(404);
});

test('a download that is not read is aborted after a while', async () => {
  await writeParts(aws.target, 'results', [result('a')]);
  await using folder = await createTemporaryFolder();
  const path = join(folder.path, 'large.csv');
  await writeFile(path, Buffer.alloc(24_000_000));
  const exportOutcomes = async () => ({ bytes: 24_000_000, content: createReadStream(path) });
  await using other = await startTestDashboard(aws.target, { exportOutcomes, maxIdleMs: 1_500 });
  const stalled = await other.get('/api/jobs/cats/results.csv');
  expect(stalled.status).toBe(200);
  // On a busy machine, this test itself may not read for longer than the limit.
  await eventually('another download', async () => {
    const next = await other.get('/api/jobs/cats/results.csv');
    const content = await next.arrayBuffer().catch(() => undefined);
    return content?.byteLength === 24_000_000;
  });
  await expect(stalled.arrayBuffer()).rejects.toThrow();
  expect(other.surprises).toEqual([]);
});
