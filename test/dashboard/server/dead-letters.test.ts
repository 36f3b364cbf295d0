import { expect, test } from '@jest/globals';
import type { DeadLetterFilter, DeadLetters } from '../../../dashboard/contract/dead-letters.ts';
import { readLetter } from '../../../dashboard/server/letter-rows.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import type { ImageRef } from '../../../shared/contract/message.ts';
import type { DeadLetter } from '../../../shared/jobs/dead-letters.ts';
import { cancelJob, newestRun } from '../../../shared/jobs/job-store.ts';
import { sendMessages } from '../../../shared/jobs/send-messages.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { dashboardTests } from '../../support/dashboard-tests.ts';
import { enqueueImages } from '../../support/enqueue-images.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { type Verdict, workQueueEmpty } from '../../support/stub-worker.ts';
import { answerOf } from '../../support/test-dashboard.ts';

const [aws] = await sharedByTests(startTestAws());
const dashboard = dashboardTests(aws, { allowsChanges: true });

const allFail: Verdict = ({ id }) =>
  id.includes('slow')
    ? new ImageFailure('corrupt', 'expected a whole image')
    : new ImageFailure('not_found', 'expected status 200, got 404 of https://a:b@other.example/x?sig=hidden');

async function failedJob(job: string, ...ids: string[]): Promise<void> {
  const images: ImageRef[] = ids.map((id) => ({
    id,
    url: `https://me:password@${job}.example:8443/${id}.jpg?X-Amz-Signature=hidden#hidden`,
  }));
  await enqueueImages(aws.target, images, { job });
  await workQueueEmpty(aws, allFail);
}

function sendToDlq(...bodies: string[]): Promise<unknown> {
  const { sqs, deadLetterQueueUrl } = aws.target;
  return sendMessages(
    sqs,
    deadLetterQueueUrl,
    bodies.map((body) => ({ body })),
  );
}

const list = (filter: DeadLetterFilter & { fresh?: '1' } = { fresh: '1' }) =>
  dashboard.json<DeadLetters>(`/api/dead-letters?${new URLSearchParams({ ...filter })}`);
const change = async (what: string, filter: DeadLetterFilter, confirm: string) => {
  const response = await dashboard.post(`/api/dead-letters/${what}`, { filter, confirm });
  return await answerOf(response);
};

test('each letter is shown with its job, code, attempts and URL, without secrets', async () => {
  await failedJob('cats', 'a', 'slow-b');
  const { letters, lookedAt, ...counts } = await list();
  expect(Date.now() - lookedAt).toBeLessThan(60_000);
  expect(counts).toEqual({
    filter: {},
    lookedAtMessages: 2,
    notLookedAtMessages: 0,
    matchingMessages: 2,
    matchingImages: 2,
    jobs: [{ name: 'cats', messages: 2 }],
    codes: [
      { name: 'corrupt', messages: 1 },
      { name: 'not_found', messages: 1 },
    ],
    hosts: [{ name: 'cats.example:8443', messages: 2 }],
  });
  const images = letters.flatMap(({ images }) => images);
  expect(images.find(({ id }) => id === 'a')).toEqual({
    id: 'a',
    url: 'https://cats.example:8443/a.jpg',
    host: 'cats.example:8443',
    code: 'not_found',
    message: 'expected status 200, got 404 of https://other.example/x',
    attempts: 1,
    thumbnail: expect.stringMatching(/^\/api\/jobs\/cats\/thumbnails\/[\w-]{22}$/),
  });
  expect(JSON.stringify(letters)).not.toMatch(/hidden|password/);
});

test('reading leaves each letter on the DLQ, visible and unchanged', async () => {
  await failedJob('cats', 'a', 'b');
  await sendToDlq('no message');
  const before = aws.deadLetters().map(({ body }) => body);
  await list();
  const { messages } = aws.server.inspectQueue('labelqueue-dlq') ?? {};
  expect({ ready: messages?.ready.length, inflight: messages?.inflight.length }).toEqual({ ready: 3, inflight: 0 });
  expect(
    aws
      .deadLetters()
      .map(({ body }) => body)
      .sort(),
  ).toEqual(before.sort());
});

test('concurrent reads do not hide letters from each other', async () => {
  await failedJob('cats', 'a', 'b', 'c');
  const looks = await Promise.all([list(), list(), list()]);
  expect(looks.map(({ matchingMessages }) => matchingMessages)).toEqual([3, 3, 3]);
});

const FOUND: [DeadLetterFilter, number][] = [
  [{ job: 'cats' }, 3],
  [{ job: 'dogs' }, 1],
  [{ job: 'birds' }, 0],
  [{ code: 'corrupt' }, 1],
  [{ code: 'unreadable' }, 1],
  [{ host: 'dogs.example:8443' }, 1],
  [{ host: 'dogs.example' }, 0],
  [{ text: 'SLOW' }, 1],
  [{ text: 'got 404' }, 3],
  [{ text: 'JPG' }, 4],
  [{ job: 'cats', code: 'not_found' }, 2],
  [{ job: 'dogs', code: 'corrupt' }, 0],
  [{ text: 'hidden' }, 0],
  [{ text: 'password' }, 0],
  [{ text: '' }, 5],
];

test('a filter finds letters with an image that matches all of it, and does not match secrets', async () => {
  await failedJob('cats', 'a', 'b', 'slow-c');
  await failedJob('dogs', 'd');
  await sendToDlq('no message, and no secret: https://me:password@host/?hidden');
  for (const [filter, expected] of FOUND) {
    const { matchingMessages, letters } = await list(filter);
    expect({ filter, matchingMessages, shown: letters.length }).toEqual({
      filter,
      matchingMessages: expected,
      shown: expected,
    });
  }
});

test('one read serves all filters for a while, and a refresh reads again', async () => {
  await failedJob('cats', 'a');
  const first = await list();
  await failedJob('dogs', 'b');
  const other = await list({ job: 'dogs' });
  expect({ lookedAt: other.lookedAt, found: other.matchingMessages }).toEqual({ lookedAt: first.lookedAt, found: 0 });
  expect((await list({ job: 'dogs', fresh: '1' })).matchingMessages).toBe(1);
});

test('the beginning of a malformed body is shown, without control characters', async () => {
  await sendToDlq(`\u202Eevil ${'x'.repeat(100_000)}`);
  const { letters } = await list();
  const [{ unreadableBody = '', job = '', images = [] } = {}] = letters;
  expect({ job, images }).toEqual({ job: null, images: [] });
  expect(unreadableBody?.length).toBeLessThanOrEqual(300);
  expect(unreadableBody).toMatch(/^\\u202eevil/);
});

test('the newest of many letters are shown, and all are counted', async () => {
  await failedJob('cats', ...Array.from({ length: 450 }, (_, index) => `image-${index}`));
  const { letters, matchingMessages } = await list();
  expect(matchingMessages).toBe(450);
  expect(letters).toHaveLength(200);
  const times = letters.map(({ sentAt }) => sentAt);
  expect(times).toEqual(times.toSorted((one, other) => other - one));
});

test('exactly the filtered letters are deleted', async () => {
  await failedJob('cats', 'a', 'b', 'slow-c');
  await failedJob('dogs', 'd');
  expect(await change('delete', { job: 'cats', code: 'not_found' }, '2')).toEqual({
    status: 200,
    images: 0,
    messages: 2,
    text: '2 dead letters deleted.',
  });
  const { letters } = await list();
  expect(letters.flatMap(({ images }) => images.map(({ id }) => id)).sort()).toEqual(['d', 'slow-c']);
});

test('letters that arrived after the read stay, even if they match', async () => {
  await failedJob('cats', 'a');
  expect(await list({ job: 'cats', fresh: '1' })).toMatchObject({ matchingMessages: 1 });
  await failedJob('cats', 'b');
  expect(await change('delete', { job: 'cats' }, '1')).toMatchObject({ status: 200, messages: 1 });
  expect((await list()).letters.flatMap(({ images }) => images.map(({ id }) => id))).toEqual(['b']);
});

test('a letter is not deleted when only some of its images match', async () => {
  const images = ['cats', 'dogs'].map((host) => ({ id: host, url: `https://${host}.example/1.jpg` }));
  await sendToDlq(JSON.stringify({ v: 1, job: 'pets', attempt: 1, images }));
  const filter = { host: 'dogs.example' };
  expect(await list({ ...filter, fresh: '1' })).toMatchObject({ matchingMessages: 1, matchingImages: 1 });
  expect(await change('delete', filter, '1')).toMatchObject({
    text: '0 dead letters deleted. Left: 1 letter with images that do not match the filter.',
  });
  expect(aws.deadLetters()).toHaveLength(1);
});

test('the `meta` of a letter is not kept in memory', () => {
  const meta = { list: Array.from({ length: 50_000 }, () => ({})) };
  const body = JSON.stringify({
    v: 1,
    job: 'cats',
    attempt: 1,
    images: [{ id: 'a', url: 'https://host/a.jpg', meta }],
  });
  const sentAt = new Date();
  expect(JSON.stringify(readLetter({ id: '1', body, reason: undefined, sentAt } as DeadLetter)).length).toBeLessThan(
    1_000,
  );
});

test.each(['delete', 'redrive'])('to %s, the number must be typed that is true now', async (what) => {
  await failedJob('cats', 'a', 'b');
  for (const confirm of ['', '1', '3', '2 ', 'cats']) {
    expect(await change(what, {}, confirm)).toEqual({
      status: 409,
      error: { code: 'count-changed', message: expect.stringContaining('2 dead letters'), expected: '2' },
    });
  }
  expect(aws.deadLetters()).toHaveLength(2);
  expect(aws.queued()).toEqual([]);
});

test('filtered images are sent again, and their failures removed', async () => {
  await failedJob('cats', 'a', 'b', 'slow-c');
  await failedJob('dogs', 'd');
  expect(await change('redrive', { host: 'cats.example:8443', code: 'not_found' }, '2')).toEqual({
    status: 200,
    images: 2,
    messages: 2,
    text: '2 images sent again, 2 dead letters removed.',
  });
  const sent = aws.queued().flatMap(({ body }) => JSON.parse(body).images.map(({ id }: { id: string }) => id));
  expect(sent.sort()).toEqual(['a', 'b']);
  expect((await aws.failures('cats')).map(({ id }) => id)).toEqual(['slow-c']);
  expect((await aws.failures('dogs')).map(({ id }) => id)).toEqual(['d']);
  const { letters } = await list();
  expect(letters.flatMap(({ images }) => images.map(({ id }) => id)).sort()).toEqual(['d', 'slow-c']);
});

test('failures whose letters were deleted are not sent again with the others', async () => {
  await failedJob('cats', 'a', 'slow-b');
  expect(await change('delete', { code: 'corrupt' }, '1')).toMatchObject({ messages: 1 });
  expect(await change('redrive', { job: 'cats' }, '1')).toMatchObject({ images: 1, messages: 1 });
  expect((await aws.failures('cats')).map(({ id }) => id)).toEqual(['slow-b']);
});

test('a text filter sends images of several jobs again, each in its own run', async () => {
  await failedJob('cats', 'lost-a', 'b');
  await failedJob('dogs', 'lost-d');
  expect(await change('redrive', { text: 'lost' }, '2')).toMatchObject({ images: 2, messages: 2 });
  const runs = await Promise.all(['cats', 'dogs'].map((job) => newestRun(aws.target, job)));
  const sent = aws.queued().map(({ body }) => JSON.parse(body));
  expect(sent.map(({ job, run }) => ({ job, run })).sort((one, other) => (one.job < other.job ? -1 : 1))).toEqual(runs);
});

test('letters that cannot be sent again stay, and the response says why', async () => {
  await failedJob('cats', 'a');
  await sendToDlq('no message');
  await cancelJob(aws.target, await newestRun(aws.target, 'cats'), 'test');
  expect(await change('redrive', {}, '2')).toEqual({
    status: 409,
    error: { code: 'not-possible', message: expect.stringMatching(/of cancelled jobs \(cats\)/) },
  });
  expect(aws.deadLetters()).toHaveLength(2);
});

test('a filter with an unknown field or a text of a megabyte is refused with a message', async () => {
  const unknown = await dashboard.post('/api/dead-letters/delete', { filter: { run: 'x' }, confirm: '0' });
  expect(await answerOf(unknown)).toMatchObject({
    status: 400,
    error: { code: 'bad-request' },
  });
  const long = await dashboard.get(`/api/dead-letters?text=${'x'.repeat(5_000)}`);
  expect(long.status).toBe(400);
});
