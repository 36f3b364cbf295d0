import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { MAX_ATTEMPTS, MAX_HOPS, MAX_ID_CHARS, MAX_META_DEPTH, MAX_URL_CHARS } from '../../shared/contract/limits.ts';
import {
  type Envelope,
  formatDeadLetter,
  formatMessage,
  type ImageRef,
  maySendOn,
  nextEnvelope,
  type QueueMessage,
} from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';

const URL_A = 'https://host.example/a.jpg';
const URL_B = 's3://bucket/b.jpg';

/** What the product's own form says, unless a test says otherwise. */
function own(change: object = {}): object {
  return { v: 1, job: 'cats-2026-11', attempt: 1, images: [{ id: 'row-17', url: URL_A }], ...change };
}

function parse(body: unknown): QueueMessage {
  const message = parseMessage(typeof body === 'string' ? body : JSON.stringify(body));
  if (message instanceof MalformedMessage) throw new Error(`expected a message, got ${message.reason}`);
  return message;
}

function reasonOf(body: unknown): string {
  const message = parseMessage(typeof body === 'string' ? body : JSON.stringify(body));
  if (!(message instanceof MalformedMessage)) throw new Error(`expected no message, got ${JSON.stringify(message)}`);
  return message.reason;
}

/** JSON of that many levels. */
function nested(levels: number): unknown {
  return levels === 0 ? 1 : { a: nested(levels - 1) };
}

describe('reads', () => {
  test('the form of the product', () => {
    const images = [
      { id: 'row-17', url: URL_A, meta: { sku: 'X1', tags: ['a', null, { b: 1.5 }] } },
      { id: 'row-18', url: URL_B },
    ];
    expect(parse(own({ attempt: 3, images }))).toEqual({ job: 'cats-2026-11', attempt: 3, images });
  });

  const one: ImageRef[] = [{ id: URL_A, url: URL_A }];
  const two: ImageRef[] = [...one, { id: URL_B, url: URL_B }];
  test.each<[form: string, body: unknown, images: ImageRef[]]>([
    ['a bare URL', URL_A, one],
    ['a bare URL with white space around it', ` ${URL_A}\n`, one],
    ['a bare URL in capitals', 'HTTPS://HOST/A.JPG', [{ id: 'HTTPS://HOST/A.JPG', url: 'HTTPS://HOST/A.JPG' }]],
    ['a bare s3 URL', URL_B, [{ id: URL_B, url: URL_B }]],
    ['a URL as JSON text', JSON.stringify(URL_A), one],
    ['url', { url: URL_A }, one],
    ['url with id and meta', { url: URL_A, id: 'a', meta: { b: 1 } }, [{ id: 'a', url: URL_A, meta: { b: 1 } }]],
    ['url among fields that nobody knows', { url: URL_A, width: 3, job: 'mine', attempt: 9 }, one],
    ['imagelink', { imagelink: URL_A }, one],
    ['imagelink with id', { imagelink: URL_A, id: 'a' }, [{ id: 'a', url: URL_A }]],
    ['images as URLs', { images: [URL_A, URL_B] }, two],
    ['images as objects', { images: [{ url: URL_A }, { imagelink: URL_B }] }, two],
    ['images, with a url of its own that is none of them', { images: [], url: URL_A }, one],
    ['a url that is null beside an imagelink', { url: null, imagelink: URL_A }, one],
    ['JSON with a byte order mark', `\uFEFF${JSON.stringify({ url: URL_A })}`, one],
    ['a bare URL with a byte order mark', `\uFEFF${URL_A}`, one],
    ['JSON with white space around it', ` ${JSON.stringify({ url: URL_A })}\r\n`, one],
  ])('%s', (_form, body, images) => {
    expect(parse(body)).toEqual({ job: 'default', attempt: 1, images });
  });

  test('how often the images were sent on; 0 by default', () => {
    expect(parse(own({ hops: MAX_HOPS }))).toMatchObject({ hops: MAX_HOPS });
    expect(parse(own())).not.toHaveProperty('hops');
    expect(maySendOn(parse(own()))).toBe(true);
    expect(nextEnvelope(parse(own()))).toEqual({ job: 'cats-2026-11', attempt: 1, hops: 1 });
  });

  test('the run, which may be missing; the next message of its chain has the same', () => {
    const run = '0123456789abcdef';
    expect(parse(own({ run }))).toMatchObject({ run });
    expect(nextEnvelope(parse(own({ run })))).toMatchObject({ run, hops: 1 });
    expect(parse(own())).not.toHaveProperty('run');
    for (const odd of ['', '../0123456789abc', '0123456789ABCDEF', 7, null]) {
      expect(parseMessage(JSON.stringify(own({ run: odd })))).toBeInstanceOf(MalformedMessage);
    }
  });

  test('a chain that is at its maximum length', () => {
    let envelope: Envelope = parse(own());
    let links = 1;
    for (; maySendOn(envelope); links++) envelope = nextEnvelope(envelope, 5);
    expect([links, envelope.attempt]).toEqual([MAX_HOPS + 1, 5]);
  });

  test('a dead letter: its image with a fresh attempt, without its error', () => {
    const image = { id: 'row-17', url: URL_A, meta: { sku: 'X1' } };
    const error = { code: 'not_found', stage: 'fetch', message: 'expected status 200, got 404', attempts: 5 };
    const body = formatDeadLetter({ job: 'cats' }, image, error);
    expect(JSON.parse(body).images[0].error).toEqual(error);
    expect(parse(body)).toEqual({ job: 'cats', attempt: 1, images: [image] });
  });

  test('each message of the sample event', async () => {
    const event = JSON.parse(await readFile(join(import.meta.dirname, '../../samples/sqs-event.json'), 'utf8'));
    const messages = event.Records.map(({ body }: { body: string }) => parse(body));
    expect(messages.map(({ job }: QueueMessage) => job)).toEqual(['cats-2026-11', 'default', 'default']);
  });

  test('1,000 images', () => {
    const images = Array.from({ length: 1_000 }, (_, id) => ({ id: String(id), url: URL_A }));
    expect(parse(own({ images })).images).toHaveLength(1_000);
    expect(parse({ images: images.map(({ id }) => `${URL_A}?${id}`) }).images).toHaveLength(1_000);
  });

  test('ids, URLs, attempts and meta up to their limits', () => {
    const longUrl = `${URL_A}?${'x'.repeat(MAX_URL_CHARS)}`.slice(0, MAX_URL_CHARS);
    const images = [{ id: 'i'.repeat(MAX_ID_CHARS), url: longUrl, meta: nested(MAX_META_DEPTH) }];
    expect(parse(own({ attempt: MAX_ATTEMPTS, images }))).toMatchObject({ attempt: MAX_ATTEMPTS, images });
  });

  test('a message of 1 MiB', () => {
    const meta = { text: 'x'.repeat(1024 * 1024 - 200) };
    expect(parse(own({ images: [{ id: 'a', url: URL_A, meta }] })).images[0]?.meta).toEqual(meta);
  });
});

describe('ids that are repeated', () => {
  test('of URLs without ids are distinguished by meta, in the same way each time', () => {
    const body = JSON.stringify({
      images: [
        { url: 'https://h/a.jpg', meta: { shop: 1 } },
        { url: 'https://h/a.jpg', meta: { shop: 2 } },
        { url: 'https://h/a.jpg', meta: { shop: 1 } },
      ],
    });
    const first = parseMessage(body) as QueueMessage;
    expect(first.images.map(({ meta }) => meta)).toEqual([{ shop: 1 }, { shop: 2 }]);
    expect(first.images[0]?.id).toBe('https://h/a.jpg');
    expect(first.images[1]?.id).toMatch(/^https:\/\/h\/a\.jpg#[0-9a-f]{16}$/);
    expect(parseMessage(body)).toEqual(first);
  });

  test('with the same URL count once, the first one', () => {
    const images = [
      { id: 'a', url: URL_A, meta: { n: 1 } },
      { id: 'b', url: URL_B },
      { id: 'a', url: URL_A, meta: { n: 2 } },
    ];
    expect(parse(own({ images })).images).toEqual(images.slice(0, 2));
    expect(parse({ images: [URL_A, URL_A] }).images).toHaveLength(1);
  });

  test('with different URLs make the message malformed', () => {
    const images = [
      { id: 'a', url: URL_A },
      { id: 'a', url: URL_B },
    ];
    expect(reasonOf(own({ images }))).toBe('expected each id once, got "a" for two different URLs');
  });
});

describe('says why a message is malformed', () => {
  test.each<[what: string, body: unknown, reason: RegExp]>([
    ['nothing', '', /expected JSON or a http, https or s3 URL, got ""/],
    ['text', 'hello', /got "hello"/],
    ['two URLs', `${URL_A} ${URL_B}`, /expected JSON or a http, https or s3 URL/],
    ['a URL of another scheme', 'ftp://host/a.jpg', /expected JSON or a http, https or s3 URL/],
    ['text as JSON', '"hello"', /got "hello"/],
    ['JSON that is cut off', '{"url":"https://', /expected JSON/],
    ['a number', '42', /expected a JSON object, got "42"/],
    ['null', 'null', /expected a JSON object, got "null"/],
    ['a list', [URL_A], /expected a JSON object, got "\[/],
    ['a list as deep as a message is long', '['.repeat(500_000) + ']'.repeat(500_000), /expected a JSON object/],
    ['an object of nothing that is known', { hello: 'world' }, /expected v, url, imagelink, images .* or Records/],
    ['an empty object', {}, /expected v, url, imagelink/],
    ['no images', { images: [] }, /1 to 1000/],
    ['1,001 images', { images: Array(1_001).fill(URL_A) }, /1 to 1000/],
    ['a url that is no text', { url: 5 }, /expected string, received number → at url$/],
    ['an empty url', { url: '' }, /at url$/],
    ['a number as id', { url: URL_A, id: 17 }, /^✖ Invalid input: expected string, received number → at id$/],
    ['a number as id of an imagelink', { imagelink: URL_A, id: 17 }, /received number → at id$/],
    ['a number as id of one image', { images: [URL_A, { url: URL_A, id: 17 }] }, /number → at images\[1\]\.id$/],
    ['an empty id', { url: URL_A, id: '' }, /at id$/],
    ['meta that is a text', { url: URL_A, meta: 'red' }, /expected .* → at meta$/],
    ['meta that is too deep for it', { url: URL_A, meta: nested(33) }, /at most 32 levels of nesting → at meta$/],
    ['url and imagelink that are both wrong', { url: 5, imagelink: 6 }, /at url .* at imagelink$/],
    ['images that are no list', { images: URL_A }, /expected a list → at images$/],
    ['one image that is no text', { images: [URL_A, 5] }, /expected a URL, .* → at images\[1\]$/],
    ['one image without url', { images: [URL_A, { link: URL_B }] }, /with url or imagelink → at images\[1\]$/],
    ['one empty URL', { images: [URL_A, ''] }, /→ at images\[1\]$/],
    ['a URL that is too long', { url: 'x'.repeat(MAX_URL_CHARS + 1), id: 'a' }, /at most 8192 characters/],
    ['a URL that is too long to be an id', `https://h/${'x'.repeat(MAX_ID_CHARS)}`, /expected an id beside a URL/],
    ['an unknown v', own({ v: 2 }), /expected 1.* at v/],
    ['v as text', own({ v: '1' }), /at v/],
    ['a job that is missing', own({ job: undefined }), /at job/],
    ['a job with a slash', own({ job: 'a/b' }), /1 to 100 letters, digits.* at job/],
    ['a job that begins with a dot', own({ job: '..' }), /at job/],
    ['attempt 0', own({ attempt: 0 }), /at attempt/],
    ['less than no hop', own({ hops: -1 }), /at hops/],
    ['more hops than a chain has', own({ hops: MAX_HOPS + 1 }), /at hops/],
    ['half a hop', own({ hops: 0.5 }), /at hops/],
    ['one attempt too many', own({ attempt: MAX_ATTEMPTS + 1 }), /at attempt/],
    ['half an attempt', own({ attempt: 1.5 }), /at attempt/],
    ['no images in the form of the product', own({ images: [] }), /at images/],
    ['an image without id', own({ images: [{ url: URL_A }] }), /at images\[0\]\.id/],
    ['an empty id', own({ images: [{ id: '', url: URL_A }] }), /at images\[0\]\.id/],
    ['an id that is too long', own({ images: [{ id: 'i'.repeat(MAX_ID_CHARS + 1), url: URL_A }] }), /\.id/],
    ['meta that is a list', own({ images: [{ id: 'a', url: URL_A, meta: [] }] }), /at images\[0\]\.meta/],
    ['meta that is too deep', own({ images: [{ id: 'a', url: URL_A, meta: nested(33) }] }), /at most 32 levels/],
    ['a typo in a field', own({ imgaes: [] }), /Unrecognized key.*imgaes/],
    ['a typo in a field of an image', own({ images: [{ id: 'a', url: URL_A, mata: {} }] }), /mata/],
  ])('%s', (_what, body, reason) => {
    expect(reasonOf(body)).toMatch(reason);
  });

  test('in few words, without the query of a URL, in characters that SQS accepts', () => {
    const secret = `ftp://host/a.jpg?X-Amz-Signature=SECRET${'x'.repeat(10_000)}`;
    for (const body of [secret, JSON.stringify(secret), own({ [`\u0000\uFFFF\uD800${'k'.repeat(9_999)}`]: 1 })]) {
      const reason = reasonOf(body);
      expect(reason).not.toContain('SECRET');
      expect(reason.length).toBeLessThanOrEqual(500);
      expect(reason).toMatch(/^[\t\n\r\x20-\uD7FF\uE000-\uFFFD]+$/);
    }
  });
});

describe('writes', () => {
  test('the form of the product', () => {
    const message: QueueMessage = { job: 'cats', attempt: 2, images: [{ id: 'a', url: URL_A, meta: { b: 1 } }] };
    expect(JSON.parse(formatMessage(message))).toEqual({ v: 1, ...message });
  });

  test('without any character that SQS refuses', () => {
    const images = [{ id: 'a\u0000b\uFFFEc\uFFFFd\uD800', url: URL_A }];
    const body = formatMessage({ job: 'cats', attempt: 1, images });
    expect(body).toMatch(/^[\x20-\uD7FF\uE000-\uFFFD]+$/);
    expect(parse(body).images).toEqual(images);
  });
});
