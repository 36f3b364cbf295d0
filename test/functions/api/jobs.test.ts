import { DeleteQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../../shared/contract/limits.ts';
import type { QueueMessage } from '../../../shared/contract/message.ts';
import { parseMessage } from '../../../shared/contract/parse-message.ts';
import { cancelJob, newestRun, readJob, writeJob } from '../../../shared/jobs/job-store.ts';
import { runCommand } from '../../support/command.ts';
import { startLocalApi } from '../../support/local-api.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { catsButMissing, workQueueEmpty } from '../../support/stub-worker.ts';

const [api] = await sharedByTests(startLocalApi({}));

function post(body: unknown, contentType = 'application/json'): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${api.address}/jobs`, { method: 'POST', body: text, headers: { 'content-type': contentType } });
}

function urls(count: number, prefix = 'https://example.com'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}/${index}.jpg`);
}

async function problemOf(response: Response): Promise<{ status: number; code: string; detail: string }> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { status, code, detail } = (await response.json()) as { status: number; code: string; detail: string };
  expect(status).toBe(response.status);
  return { status, code, detail };
}

/** Takes all messages of a job off the queue, and of all others. */
async function messagesOf(job: string): Promise<QueueMessage[]> {
  const { sqs, queueUrl } = api.target;
  const found: QueueMessage[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    if (Messages.length === 0) return found.filter((message) => message.job === job);
    for (const { Body = '' } of Messages) found.push(parseMessage(Body) as QueueMessage);
  }
}

describe('a job', () => {
  test('is enqueued with ids and meta, in each form of an image', async () => {
    const [plain = '', named = '', linked = ''] = urls(3);
    const response = await post({
      job: 'forms',
      images: [
        plain,
        { url: named, id: 'b', meta: { sku: 'X1', deep: [{ more: null }] } },
        { imagelink: linked, id: 'c' },
      ],
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/jobs/forms');
    expect(await response.json()).toEqual({ job: 'forms', images: 3, messages: 1, repetitions: 0 });
    expect(await messagesOf('forms')).toEqual([
      {
        job: 'forms',
        run: expect.stringMatching(/^[0-9a-f]{16}$/),
        attempt: 1,
        images: [
          { id: plain, url: plain },
          { id: 'b', url: named, meta: { sku: 'X1', deep: [{ more: null }] } },
          { id: 'c', url: linked },
        ],
      },
    ]);
    expect(await readJob(api.target, 'forms')).toMatchObject({ state: 'enqueued', images: 3, source: 'POST /jobs' });
  });

  test('in bytes that are not UTF-8 is refused, and nothing is sent', async () => {
    const body = Buffer.from('{"job":"latin","images":["https://example.com/caf\xe9.jpg"]}', 'latin1');
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${api.address}/jobs`, { method: 'POST', body, headers });
    const detail = 'expected the body to be JSON in UTF-8';
    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', detail });
    expect(await messagesOf('latin')).toEqual([]);
  });

  test('keeps every character, the digits of numbers, and rows that differ in meta alone', async () => {
    const image = (id: string) => `{"url":"https://example.com/🐱.jpg","meta":{"n":${id},"t":"🐱"}}`;
    const response = await post(
      `{"job":"exact","images":[${image('1234567890123456789')},${image('1234567890123456790')}]}`,
    );
    expect(await response.json()).toEqual({ job: 'exact', images: 2, messages: 1, repetitions: 0 });
    const [message] = await messagesOf('exact');
    expect(message?.images.map(({ meta }) => JSON.stringify(meta))).toEqual([
      '{"n":1234567890123456789,"t":"🐱"}',
      '{"n":1234567890123456790,"t":"🐱"}',
    ]);
    expect(new Set(message?.images.map(({ id }) => id)).size).toBe(2);
  });

  test('may have 10,000 images and no more', async () => {
    const response = await post({ job: 'large', images: urls(10_000) });
    expect(await response.json()).toEqual({ job: 'large', images: 10_000, messages: 313, repetitions: 0 });
    const messages = await messagesOf('large');
    const sent = messages.flatMap(({ images }) => images.map(({ url }) => url));
    expect(sent.toSorted()).toEqual(urls(10_000).toSorted());

    expect(await problemOf(await post({ images: urls(10_001) }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    const wide = urls(10_000, `https://example.com/${'x'.repeat(700)}`);
    expect(await problemOf(await post({ images: wide }))).toMatchObject({ status: 413, code: 'body_too_large' });
  });

  test('without a name gets a unique one, even in the same second', async () => {
    const answers = await Promise.all([post({ images: urls(1) }), post({ images: urls(1) })]);
    const names = await Promise.all(answers.map(async (response) => ((await response.json()) as { job: string }).job));
    for (const name of names) expect(name).toMatch(/^api-\d{8}-\d{6}-[0-9a-f]{8}$/);
    expect(new Set(names).size).toBe(2);
  });

  test('counts exact repetitions once', async () => {
    const [url = ''] = urls(1);
    const response = await post({ images: [url, url, { url }] });
    expect(await response.json()).toMatchObject({ images: 1, messages: 1, repetitions: 2 });
  });
});

describe('a job whose name is taken', () => {
  test('is refused, and nothing is sent', async () => {
    await post({ job: 'taken', images: urls(1) });
    await messagesOf('taken');
    expect(await problemOf(await post({ job: 'taken', images: urls(1) }))).toEqual({
      status: 409,
      code: 'job_exists',
      detail: 'the job taken exists already: choose another name, or send it with "resume": true',
    });
    expect(await messagesOf('taken')).toEqual([]);
  });

  test('is resumed when the images are the same and the caller requests it', async () => {
    const images = urls(250);
    await post({ job: 'half', images });
    await messagesOf('half');
    const whole = await readJob(api.target, 'half');
    if (whole === undefined) throw new Error('expected the job to have a description');
    // As if its producer had died after the first message, one that always put 100 images into a message.
    await writeJob(api.target, { ...whole, state: 'enqueuing', perMessage: 100, sent: 100, messages: 1 });
    const response = await post({ job: 'half', images, resume: true });
    expect(await response.json()).toEqual({ job: 'half', images: 250, messages: 3, repetitions: 0 });
    const messages = await messagesOf('half');
    expect(messages.map((message) => message.images.length).toSorted()).toEqual([100, 50]);
    const sent = messages.flatMap((message) => message.images.map(({ url }) => url));
    expect(sent.toSorted()).toEqual(images.slice(100).toSorted());

    expect((await post({ job: 'half', images, resume: true })).status).toBe(202);
    expect(await messagesOf('half')).toEqual([]);
    const others = await post({ job: 'half', images: urls(3), resume: true });
    expect(await problemOf(others)).toMatchObject({ status: 409, detail: expect.stringContaining('other images') });
  });
});

describe('a job that was cancelled', () => {
  test('is not resumed: workers would drop its images', async () => {
    const images = urls(250);
    await post({ job: 'stopped', images });
    await messagesOf('stopped');
    const whole = await readJob(api.target, 'stopped');
    if (whole === undefined) throw new Error('expected the job to have a description');
    await writeJob(api.target, { ...whole, state: 'enqueuing', sent: 100, messages: 1 });
    await cancelJob(api.target, whole, 'test');
    expect(await problemOf(await post({ job: 'stopped', images, resume: true }))).toEqual({
      status: 409,
      code: 'job_exists',
      detail: 'the job stopped was cancelled: purge it first, then enqueue it again',
    });
    expect(await messagesOf('stopped')).toEqual([]);
  });
});

describe('an invalid job', () => {
  const [url = ''] = urls(1);
  test.each<[body: unknown, named: string]>([
    ['', 'JSON'],
    ['{', 'JSON'],
    ['[]', 'object'],
    [{}, 'images'],
    [{ images: [] }, 'images: expected at least 1 image, got 0'],
    [{ images: ['no URL'] }, 'images[0]: expected a http, https or s3 URL'],
    [{ images: ['ftp://example.com/a.jpg'] }, 'images'],
    [{ images: [{ url, id: '' }] }, 'images[0].id: expected at least 1 character, got 0'],
    [{ images: [{ url, id: 17 }] }, 'images[0]: id: expected a text, got a number'],
    [{ images: [{ imagelink: url, id: 17 }] }, 'images[0]: id: expected a text, got a number'],
    [{ images: [url, { link: url }] }, 'images[1]: expected a URL, or an object with url or imagelink'],
    [{ images: [7] }, 'images[0]: expected a URL, or an object with url or imagelink'],
    [{ images: [{ url, name: 'a' }] }, 'name'],
    [{ images: [{ url, imagelink: url }] }, 'images'],
    [{ images: [{ url, meta: 'text' }] }, 'meta: '],
    [{ images: [`https://example.com/${'x'.repeat(3_000)}`] }, 'an id beside a URL'],
    [
      {
        images: [
          { url, id: 'a' },
          { url: `${url}?2`, id: 'a' },
        ],
      },
      'images[1]: expected each id for one URL only',
    ],
    [{ images: [url], job: '../a' }, 'job'],
    [{ images: [url], jobs: 'a' }, 'jobs'],
  ])('%j is refused, and %s named', async (body, named) => {
    const { status, code, detail } = await problemOf(await post(body));
    expect({ status, code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(detail).toContain(named);
  });

  test('is a body without the content type of JSON: a web page could send it', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      expect(await problemOf(await post({ images: [url] }, type))).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      });
    }
  });
});

describe('the status of a job', () => {
  test('is that of the command', async () => {
    await post({ job: 'told', images: urls(3) });
    const answer = await (await fetch(`${api.address}/jobs/told`)).json();
    const { stdout } = await runCommand(['status', 'told', '--json'], { environment: api.environment });
    expect(answer).toEqual(JSON.parse(stdout));
    expect(answer).toMatchObject({ job: 'told', state: 'running', enqueued: 3, classified: 0, failed: 0, toGo: 3 });
    await cancelJob(api.target, await newestRun(api.target, 'told'), 'a test');
    expect(await (await fetch(`${api.address}/jobs/told`)).json()).toMatchObject({ state: 'cancelled' });
  });

  test('has a speed and the remaining time while it runs, and neither once it is cancelled', async () => {
    await messagesOf('cut-short');
    // More than a message has.
    await post({ job: 'cut-short', images: urls(DEFAULT_IMAGES_PER_MESSAGE + 1) });
    await workQueueEmpty(api, catsButMissing, 1);
    const told = async () => (await fetch(`${api.address}/jobs/cut-short`)).json();
    expect(await told()).toMatchObject({ secondsLeft: expect.any(Number) });
    await cancelJob(api.target, await newestRun(api.target, 'cut-short'), 'a test');
    const cancelled = await told();
    expect(cancelled).toMatchObject({ state: 'cancelled', imagesPerSecond: 0 });
    expect(cancelled).not.toHaveProperty('secondsLeft');
  });

  test('of an unknown job is a 404', async () => {
    expect(await problemOf(await fetch(`${api.address}/jobs/nobody`))).toMatchObject({
      status: 404,
      code: 'no_such_job',
      detail: 'no job nobody was enqueued',
    });
    expect(await problemOf(await fetch(`${api.address}/jobs/-no-name`))).toMatchObject({ code: 'invalid_request' });
  });
});

test('a deleted queue is reported, and the job is not marked as enqueued', async () => {
  const { sqs, queueUrl } = api.target;
  await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }));
  expect(await problemOf(await post({ job: 'lost', images: urls(1) }))).toMatchObject({
    status: 503,
    code: 'service_unavailable',
  });
  expect(await readJob(api.target, 'lost')).toMatchObject({ state: 'failed', sent: 0 });
});
