import { expect, test } from '@jest/globals';
import { MAX_MESSAGE_BYTES } from '../../shared/contract/limits.ts';
import { formatDeadLetter, formatMessage, type ImageRef } from '../../shared/contract/message.ts';
import { packMessages } from '../../shared/contract/pack-messages.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { resultLine } from '../../shared/contract/result-line.ts';

/** What the embedded SQS takes; SQS itself takes U+10000 to U+10FFFF too. */
const TAKEN_BY_ALL = /^[\t\n\r\x20-\uD7FF\uE000-\uFFFD]*$/;

const CHARACTERS = ['🐱', '𠮷', '\u{10FFFF}', '\uFFFE', '\uFFFF', '\u0000', '\u001B', '\uD83D', '\uDC31', 'é', '猫'];

test.each(CHARACTERS)('%j survives messages and dead letters that every SQS accepts', (character) => {
  const image = { id: `id ${character}`, url: `https://h/${character}.jpg`, meta: { [character]: character } };
  const body = formatMessage({ job: 'job', attempt: 2, images: [image] });
  expect(body).toMatch(TAKEN_BY_ALL);
  expect(parseMessage(body)).toEqual({ job: 'job', attempt: 2, images: [image] });
  const letter = formatDeadLetter({ job: 'job' }, image, {
    code: 'gone',
    stage: 'fetch',
    message: character,
    attempts: 1,
  });
  expect(letter).toMatch(TAKEN_BY_ALL);
  expect(parseMessage(letter)).toEqual({ job: 'job', attempt: 1, images: [image] });
});

async function bodiesOf(images: ImageRef[]): Promise<string[]> {
  return (await Array.fromAsync(packMessages({ job: 'job', attempt: 1 }, images))).map(({ body }) => body);
}

test('packing counts the bytes of the escapes', async () => {
  const images = Array.from({ length: 30 }, (_, id) => ({
    id: String(id),
    url: 'https://h/a.jpg',
    meta: { text: '🐱'.repeat(10_000) },
  }));
  const bodies = await bodiesOf(images);
  expect(bodies.length).toBeGreaterThan(1);
  for (const body of bodies) {
    expect(body).toMatch(TAKEN_BY_ALL);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  }
});

test('an image that fits a message only without the escapes is sent without them, alone', async () => {
  const small = { id: 'small', url: 'https://h/a.jpg' };
  const large = { id: 'large', url: 'https://h/b.jpg', meta: { text: '🐱'.repeat(200_000) } };
  const bodies = await bodiesOf([small, large, small]);
  expect(bodies.map((body) => parseMessage(body))).toMatchObject([
    { images: [small] },
    { images: [large] },
    { images: [small] },
  ]);
  expect(bodies.every((body) => Buffer.byteLength(body) <= MAX_MESSAGE_BYTES)).toBe(true);
});

function lineOf(image: ImageRef): string {
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  const origin = { job: 'j', image, attempt: 1, at: new Date() };
  return JSON.stringify(resultLine(origin, [], { name: 'm', version: '1' }, facts));
}

test('an unpaired surrogate is written to a line as its escape, which every reader accepts', () => {
  const line = JSON.parse(
    lineOf({ id: 'a\uD83D', url: 'https://h/a.jpg', meta: { 'k\uDC31': ['cut off \uD83D', '🐱'] } }),
  );
  expect(line).toMatchObject({ id: 'a\\ud83d', meta: { 'k\\udc31': ['cut off \\ud83d', '🐱'] } });
});

test('ids that differ only in an unpaired surrogate still differ', () => {
  const [one, other] = ['\uD83D', '\uD83E'].map((id) => JSON.parse(lineOf({ id, url: 'https://h/a.jpg' })).id);
  expect(one).not.toBe(other);
});
