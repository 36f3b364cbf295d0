import { describe, expect, test } from '@jest/globals';
import { MAX_ENVELOPES } from '../../shared/contract/limits.ts';
import { formatMessage, type ImageRef } from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';

const URL_A = 'https://host.example/a.jpg';
const OWN = { v: 1, job: 'cats', attempt: 2, hops: 1, images: [{ id: 'row-17', url: URL_A, meta: { sku: 'X1' } }] };

/** As SNS puts it on a queue without raw message delivery. */
function notification(message: unknown, change: object = {}): object {
  return {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: 'arn:aws:sns:us-east-1:111122223333:photos',
    Subject: 'Amazon S3 Notification',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: '2026-11-24T10:00:00.000Z',
    SignatureVersion: '1',
    ...change,
  };
}

/** As EventBridge puts an event of an application on a queue. */
function bridgeEvent(detail: unknown): object {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': 'photo.added',
    source: 'com.example.photos',
    account: '111122223333',
    time: '2026-11-24T10:00:00Z',
    region: 'us-east-1',
    resources: [],
    detail,
  };
}

function s3Event(eventName = 'ObjectCreated:Put'): object {
  const s3 = { bucket: { name: 'photos' }, object: { key: 'a+b.jpg' } };
  return { Records: [{ eventSource: 'aws:s3', eventName, s3 }] };
}

function reasonOf(body: object): string {
  const message = parseMessage(JSON.stringify(body));
  if (!(message instanceof MalformedMessage)) throw new Error(`expected no message, got ${JSON.stringify(message)}`);
  return message.reason;
}

const bodies: [form: string, body: unknown, images: ImageRef[]][] = [
  ['a URL', URL_A, [{ id: URL_A, url: URL_A }]],
  ['url', { url: URL_A, id: 'a' }, [{ id: 'a', url: URL_A }]],
  ['imagelink', { imagelink: URL_A }, [{ id: URL_A, url: URL_A }]],
  ['images', { images: [URL_A] }, [{ id: URL_A, url: URL_A }]],
  ['an event of S3', s3Event(), [{ id: 's3://photos/a b.jpg', url: 's3://photos/a b.jpg' }]],
  ['a test event of S3', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'photos' }, []],
];

test.each(bodies)('SNS around %s', (_form, body, images) => {
  expect(parseMessage(JSON.stringify(notification(body)))).toEqual({ job: 'default', attempt: 1, images });
});

test.each(bodies.filter(([form]) => form !== 'a URL'))('EventBridge around %s', (_form, body, images) => {
  expect(parseMessage(JSON.stringify(bridgeEvent(body)))).toEqual({ job: 'default', attempt: 1, images });
});

test('the form of the product keeps its job, attempt and hops in an envelope', () => {
  const { v: _, ...message } = OWN;
  expect(parseMessage(JSON.stringify(notification(formatMessage(message))))).toEqual(message);
  expect(parseMessage(JSON.stringify(bridgeEvent(OWN)))).toEqual(message);
});

describe('envelopes within envelopes', () => {
  const ofS3 = {
    version: '0',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    detail: { bucket: { name: 'photos' }, object: { key: 'a b.jpg' } },
  };

  test.each<[string, object]>([
    ['SNS around an event of EventBridge', notification(bridgeEvent(s3Event()))],
    ['SNS around an event of S3 on EventBridge', notification(ofS3)],
    ['EventBridge around SNS', bridgeEvent(notification(s3Event()))],
    ['SNS around SNS around EventBridge', notification(notification(bridgeEvent(s3Event())))],
  ])('%s', (_case, body) => {
    expect(parseMessage(JSON.stringify(body))).toMatchObject({ images: [{ url: 's3://photos/a b.jpg' }] });
  });

  test('up to the maximum depth', () => {
    let body = notification(s3Event());
    for (let envelopes = 1; envelopes < MAX_ENVELOPES; envelopes++) body = bridgeEvent(body);
    expect(parseMessage(JSON.stringify(body))).toMatchObject({ images: [{ url: 's3://photos/a b.jpg' }] });
    expect(reasonOf(notification(body))).toMatch(/expected at most 3 nested envelopes$/);
  });
});

test('fields of an envelope beside a URL are not an envelope', () => {
  const body = { url: URL_A, Type: 'Notification', Message: 'hello', source: 'x', detail: { url: 'https://other/' } };
  expect(parseMessage(JSON.stringify(body))).toMatchObject({ images: [{ url: URL_A }] });
});

test.each<[what: string, body: object, reason: RegExp]>([
  ['no body', notification('hello'), /^in Message of SNS: expected JSON or a http, https or s3 URL, got "hello"$/],
  ['a list', notification('[1]'), /^in Message of SNS: expected a JSON object, got "\[1\]"$/],
  ['a number as id', notification({ url: URL_A, id: 17 }), /^in Message of SNS: .*received number → at id$/],
  ['a removal', notification(s3Event('ObjectRemoved:Delete')), /^in Message of SNS: at Records\[0\]\.eventName/],
  ['a typo', notification({ ...OWN, imgaes: [] }), /^in Message of SNS: .*imgaes/],
  ['nothing that is known', bridgeEvent({ hello: 1 }), /^in detail of EventBridge: .* expected v, url, imagelink/],
  ['a number in detail', bridgeEvent({ url: URL_A, id: 17 }), /^in detail of EventBridge: .* → at id$/],
  ['a detail that is a text', bridgeEvent('hello'), /expected an object → at detail$/],
  ['a detail that is a list', bridgeEvent([s3Event()]), /expected an object → at detail$/],
  ['no Message', notification('', { Message: undefined }), /at Message$/],
  [
    'a Message that is JSON already',
    notification('', { Message: s3Event() }),
    /expected string, received object → at Message$/,
  ],
  [
    'a subscription to be confirmed',
    notification('You have chosen', { Type: 'SubscriptionConfirmation', SubscribeURL: 'https://sns.example/?Token=2' }),
    /expected "Notification"; .*SubscribeURL.* → at Type$/,
  ],
  [
    'wrong in both envelopes',
    notification(bridgeEvent({ url: 5 })),
    /^in Message of SNS: in detail of EventBridge: .* → at url$/,
  ],
])('an envelope with %s is refused, and the wrong field is named', (_what, body, reason) => {
  expect(reasonOf(body)).toMatch(reason);
});

test('the reason for a body in an envelope is short, and the log contains nothing of the body', () => {
  const body = JSON.stringify(notification(`ftp://host/${'x'.repeat(100_000)}?X-Amz-Signature=SECRET`));
  const message = parseMessage(body) as MalformedMessage;
  expect(message.reason).toMatch(/got "ftp:\/\/host/);
  expect(message.reason.length).toBeLessThanOrEqual(500);
  expect(message.expected).toBe('in Message of SNS: expected JSON or a http, https or s3 URL');
});
