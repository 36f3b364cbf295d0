import { expect, test } from '@jest/globals';
import { parseExactJson } from '../../shared/contract/exact-json.ts';
import { formatMessage } from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { failureLine, resultLine } from '../../shared/contract/result-line.ts';

test.each([
  '1234567890123456789',
  '-1234567890123456789',
  '1e21',
  '1E+2',
  '1.10',
  '0.30000000000000004441',
  '123456789.123456789',
  '0.0000001',
  '-0',
  '1e400',
  '3',
  '0.5',
])('%s under meta keeps its digits', (digits) => {
  const text = `{"url":"https://h/a.jpg","meta":{"a":[{"b":${digits}}],"c":${digits}}}`;
  expect(JSON.stringify(parseExactJson(text))).toBe(text);
});

test('a number of a thousand digits stays a number; a longer one becomes text, because Python could not read the file', () => {
  const digits = '1'.repeat(1_000);
  expect(JSON.stringify(parseExactJson(`{"meta":{"a":${digits},"b":${digits}1}}`))).toBe(
    `{"meta":{"a":${digits},"b":"${digits}1"}}`,
  );
});

test('numbers outside of meta are JavaScript numbers, as schemas expect', () => {
  expect(parseExactJson('{"attempt":1.0,"images":[{"meta":{"a":1.0}}]}')).toMatchObject({ attempt: 1 });
});

test('what is nested too deep for exact numbers is parsed without them', () => {
  const deep = `{"meta":{"id":1234567890123456789,"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`;
  expect(parseExactJson(deep)).toHaveProperty('meta.id', Number('1234567890123456789'));
});

test.each([
  [
    'the own form',
    (meta: string) => `{"v":1,"job":"j","attempt":1,"images":[{"id":"a","url":"https://h/a","meta":${meta}}]}`,
  ],
  ['an object with a URL', (meta: string) => `{"url":"https://h/a","id":"a","meta":${meta}}`],
  ['a list of images', (meta: string) => `{"images":[{"imagelink":"https://h/a","id":"a","meta":${meta}}]}`],
])('numbers of a message of %s reach the next message and both kinds of lines', (_form, body) => {
  const meta = '{"tweet":1234567890123456789,"price":1.10}';
  const message = parseMessage(body(meta));
  if (message instanceof MalformedMessage) throw new Error(message.reason);
  const image = message.images[0];
  if (image === undefined) throw new Error('expected an image');
  const origin = { job: 'j', image, attempt: 1, at: new Date() };
  const facts = { width: 1, height: 1, format: 'png', bytes: 1, sha256: '' };
  expect(formatMessage(message)).toContain(`"meta":${meta}`);
  expect(JSON.stringify(resultLine(origin, [], { name: 'm', version: '1' }, facts))).toContain(`"meta":${meta}`);
  expect(
    JSON.stringify(failureLine(origin, { code: 'gone', stage: 'fetch', message: '', retryable: false })),
  ).toContain(`"meta":${meta}`);
});
