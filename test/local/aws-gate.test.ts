import { existsSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';

let folder: TemporaryFolder;
let aws: TestAws;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  aws = await startTestAws({ dataDir: join(folder.path, 'state') });
});
afterEach(() => aws.clear());
afterAll(async () => {
  await aws.stop();
  await folder[Symbol.asyncDispose]();
});

type Answer = { status: number | undefined; headers: IncomingMessage['headers']; body: string };

/** A request with whatever headers, which the SDKs and `fetch` would not send. */
function send(path: string, options: RequestOptions = {}, body = ''): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request({ hostname: '127.0.0.1', port: aws.server.port, path, ...options }, async (response) => {
    resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
  })
    .on('error', reject)
    .end(body);
  return promise;
}

function authorization(accessKeyId = aws.clientConfig.credentials.accessKeyId): string {
  const scope = '20260101/us-east-1/s3/aws4_request';
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=host, Signature=00`;
}

async function keys(): Promise<string[]> {
  const { Contents = [] } = await aws.target.s3.send(new ListObjectsV2Command({ Bucket: aws.target.resultsBucket }));
  return Contents.map(({ Key = '' }) => Key);
}

const ATTACKS: [string, string, RequestOptions, string][] = [
  ['lists buckets', '/', {}, ''],
  ['reads an object', '/labelqueue/kept', {}, ''],
  ['writes an object', '/labelqueue/written', { method: 'PUT' }, 'x'],
  ['deletes an object', '/labelqueue/kept', { method: 'DELETE' }, ''],
  ['deletes objects', '/labelqueue?delete', { method: 'POST' }, '<Delete><Object><Key>kept</Key></Object></Delete>'],
  [
    'sends a form',
    '/labelqueue',
    { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=b' } },
    '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n../../../../../written\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n',
  ],
  [
    'makes a topic',
    '/',
    { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    'Action=CreateTopic&Name=evil',
  ],
  ['looks at queues', '/_fauxqs/queues/labelqueue', {}, ''],
];

const BARRIERS: [string, () => Record<string, string>, number][] = [
  ['no credentials', () => ({}), 403],
  ['the access key of another service', () => ({ authorization: authorization('LQAAAAAAAAAAAAAAAAAAAAAAAAAA') }), 403],
  ['no access key where it should be', () => ({ authorization: authorization('') }), 403],
  ['a password', () => ({ authorization: `Basic ${aws.clientConfig.credentials.accessKeyId}` }), 403],
  ['another Host', () => ({ authorization: authorization(), host: 'evil.example' }), 421],
  ['a Host that looks similar', () => ({ authorization: authorization(), host: '127.0.0.1.evil.example' }), 421],
  ['another Origin', () => ({ authorization: authorization(), origin: 'http://evil.example' }), 403],
  ['the Origin of a file', () => ({ authorization: authorization(), origin: 'null' }), 403],
  ['the mark of another site', () => ({ authorization: authorization(), 'sec-fetch-site': 'cross-site' }), 403],
];

describe.each(BARRIERS)('with %s', (_barrier, headersOf, status) => {
  test.each(ATTACKS)('nothing is read or changed by what %s', async (_attack, path, options, body) => {
    const { s3, resultsBucket } = aws.target;
    await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key: 'kept', Body: 'secret' }));
    const answer = await send(path, { ...options, headers: { ...options.headers, ...headersOf() } }, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(/<Code>(AccessDenied|InvalidAccessKeyId)<\/Code>/);
    expect(answer.body).not.toMatch(/secret|kept/);
    expect(await keys()).toEqual(['kept']);
    expect(existsSync(join(folder.path, 'written.data'))).toBe(false);
  });
});

test('a preflight request of a browser is refused', async () => {
  const headers = {
    origin: 'http://evil.example',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization',
  };
  const answer = await send('/labelqueue/x', { method: 'OPTIONS', headers });
  expect(answer.status).toBe(403);
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test.each(['127.0.0.1', 'localhost', '[::1]', 'labelqueue.localhost'])(
  'takes the Host %s, on whatever port it is forwarded from',
  async (name) => {
    for (const host of [name, `${name}:${aws.server.port}`, `${name}:8080`]) {
      expect((await send('/', { headers: { host, authorization: authorization() } })).status).toBe(200);
    }
  },
);

test('accepts SQS’s own form of a Host', async () => {
  const headers = {
    host: `sqs.us-east-1.localhost:${aws.server.port}`,
    authorization: authorization(),
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'AmazonSQS.ListQueues',
  };
  const answer = await send('/', { method: 'POST', headers }, '{}');
  const { QueueUrls } = JSON.parse(answer.body);
  expect(QueueUrls).toContainEqual(expect.stringMatching(/\/labelqueue$/));
});

test.each([
  [4, (accessKeyId: string) => `X-Amz-Credential=${accessKeyId}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request`],
  [2, (accessKeyId: string) => `AWSAccessKeyId=${accessKeyId}&Signature=00&Expires=1`],
])('accepts a presigned URL (signature version %d), and none of other credentials', async (_version, query) => {
  const { s3, resultsBucket } = aws.target;
  await s3.send(new PutObjectCommand({ Bucket: resultsBucket, Key: 'kept', Body: 'text' }));
  const { accessKeyId } = aws.clientConfig.credentials;
  expect(await send(`/labelqueue/kept?${query(accessKeyId)}`)).toMatchObject({ status: 200, body: 'text' });
  expect((await send(`/labelqueue/kept?${query('LQAAAAAAAAAAAAAAAAAAAAAAAAAA')}`)).status).toBe(403);
});

test('accepts a request signed with signature version 2, and none of other credentials', async () => {
  const signedBy = (accessKeyId: string) => ({ headers: { authorization: `AWS ${accessKeyId}:c2lnbmF0dXJl` } });
  expect((await send('/', signedBy(aws.clientConfig.credentials.accessKeyId))).status).toBe(200);
  expect((await send('/', signedBy('LQAAAAAAAAAAAAAAAAAAAAAAAAAA'))).status).toBe(403);
});

test.each(['marker', 'folder/'])('takes the empty object %s as boto3 sends it: without a type', async (key) => {
  const headers = { authorization: authorization(), 'content-length': '0' };
  expect((await send(`/labelqueue/${key}`, { method: 'PUT', headers })).status).toBe(200);
  expect(await keys()).toEqual([key]);
});

test('the SDKs say what is wrong with the credentials, and what to do', async () => {
  const wrong = { ...aws.clientConfig, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const s3 = new S3Client(wrong);
  const sqs = new SQSClient(wrong);
  const message = expect.stringContaining('paste the variables that `labelqueue local` printed');
  const { target } = aws;
  await expect(s3.send(new ListObjectsV2Command({ Bucket: target.resultsBucket }))).rejects.toMatchObject({
    name: 'InvalidAccessKeyId',
    message,
  });
  const { queueUrl: QueueUrl } = target;
  await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toMatchObject({
    name: 'InvalidAccessKeyId',
    message,
  });
  expect(aws.queued()).toEqual([]);
});

const BAD_KEYS = ['../../../../../out', 'a/../../../../../../out', '/out', 'a//out', './out', 'a/./out', 'a\\..\\out'];

test.each([...BAD_KEYS, 'nul\0out', '..'])('an object never has the key %j, however it is sent', async (key) => {
  const headers = { authorization: authorization() };
  const encoded = [...Buffer.from(key)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  expect((await send(`/labelqueue/${encoded}`, { method: 'PUT', headers }, 'x')).status).toBe(400);
  const form =
    `--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n${key}\r\n` +
    '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n';
  const asForm = { ...headers, 'content-type': 'multipart/form-data; boundary=b' };
  expect((await send('/labelqueue', { method: 'POST', headers: asForm }, form)).status).toBe(400);
  expect(await keys()).toEqual([]);
  expect(existsSync(join(folder.path, 'out.data'))).toBe(false);
});

test('a key that leads out of the bucket neither deletes files nor starts an upload', async () => {
  const { s3, resultsBucket: Bucket } = aws.target;
  const file = await folder.write('precious.data', 'x');
  const Key = '../../../../../precious';
  await expect(s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }))).rejects.toMatchObject({
    name: 'InvalidArgument',
  });
  await expect(s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))).rejects.toMatchObject({
    name: 'InvalidArgument',
  });
  expect(existsSync(file)).toBe(true);
});

test.each(['a', 'a/b', 'a/', '.hidden', 'a..b/...', 'ä 💥', 'a:b*c?', `${'x'.repeat(200)}/y`, '%2e%2e/x'])(
  'an object may have the key %j',
  async (Key) => {
    const { s3, resultsBucket: Bucket } = aws.target;
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'text' }));
    expect(await keys()).toEqual([Key]);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe('text');
  },
);

test('a key that the file system refuses is an error response', async () => {
  const { s3, resultsBucket: Bucket } = aws.target;
  const put = s3.send(new PutObjectCommand({ Bucket, Key: 'x'.repeat(250), Body: '' }));
  await expect(put).rejects.toMatchObject({ name: 'KeyTooLongError' });
});
