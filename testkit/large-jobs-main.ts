/**
 * Run by `startLargeJobs`: an HTTP server that answers as S3 and SQS do, for jobs whose part files are computed. Its
 * arguments are the jobs and the milliseconds that each answer takes, as JSON.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { reportReady } from './child-module.ts';
import { ComputedBucket, type ListedPage } from './computed-bucket.ts';
import type { LargeJob } from './large-job.ts';

/** How often each kind of call was made, and how many listings were under way at once. */
export type CallCounts = { calls: Record<string, number>; listingsAtOnce: number };
export type LargeJobsOptions = { jobs: LargeJob[]; latencyMs?: number };
export type LargeJobsReport = { endpoint: string };

const { jobs, latencyMs = 0 }: LargeJobsOptions = JSON.parse(process.argv[2] ?? '{}');
const bucket = new ComputedBucket(jobs);
const counts: CallCounts = { calls: {}, listingsAtOnce: 0 };
let listings = 0;

type Reply = { status?: number; headers?: Record<string, string>; body?: string };

const server = createServer(async (request, response) => {
  const body = await text(request);
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  if (pathname === '/counts') return void response.end(JSON.stringify(counts));
  const call = callOf(request, searchParams);
  counts.calls[call] = (counts.calls[call] ?? 0) + 1;
  if (call === 'LIST') counts.listingsAtOnce = Math.max(counts.listingsAtOnce, ++listings);
  if (latencyMs > 0) await delay(latencyMs);
  if (call === 'LIST') listings--;
  const key = decodeURIComponent(pathname.split('/').slice(2).join('/'));
  const {
    status = 200,
    headers = {},
    body: answer = '',
  } = ANSWERS[call]?.({ key, query: searchParams, body }) ?? {
    status: 501,
  };
  response.writeHead(status, headers).end(request.method === 'HEAD' ? '' : answer);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  reportReady({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } satisfies LargeJobsReport);
});

function callOf({ method = '', headers }: IncomingMessage, query: URLSearchParams): string {
  const action = headers['x-amz-target'];
  if (typeof action === 'string') return action.replace('AmazonSQS.', '');
  if (query.has('list-type')) return 'LIST';
  return query.has('delete') ? 'DeleteObjects' : method;
}

type Question = { key: string; query: URLSearchParams; body: string };

const ANSWERS: Record<string, (question: Question) => Reply> = {
  LIST: ({ query }) => listing(query),
  GET: ({ key }) => found(bucket.get(key)),
  HEAD: ({ key }) => found(bucket.get(key)),
  PUT({ key, body }) {
    bucket.put(key, body);
    return { headers: { etag: '"1"' } };
  },
  DELETE({ key }) {
    bucket.delete(key);
    return { status: 204 };
  },
  DeleteObjects({ body }) {
    for (const [, key = ''] of body.matchAll(/<Key>([^<]*)<\/Key>/g)) bucket.delete(key);
    return { body: '<DeleteResult/>' };
  },
  GetQueueAttributes: () => json({ Attributes: {} }),
  ReceiveMessage: () => json({}),
  SendMessageBatch: ({ body }) => json({ Successful: JSON.parse(body).Entries.map(sentEntry), Failed: [] }),
};

function found(body: string | undefined): Reply {
  if (body !== undefined) return { body, headers: { 'content-length': String(Buffer.byteLength(body)) } };
  return { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' };
}

function json(answer: object): Reply {
  return { headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(answer) };
}

function sentEntry({ Id, MessageBody }: { Id: string; MessageBody: string }) {
  return { Id, MessageId: Id, MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') };
}

function listing(query: URLSearchParams): Reply {
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const maxKeys = Math.min(1_000, Number(query.get('max-keys') ?? 1_000));
  const page = bucket.list({
    prefix: query.get('prefix') ?? '',
    after,
    delimiter: query.get('delimiter') ?? '',
    maxKeys,
  });
  return { headers: { 'content-type': 'application/xml' }, body: listingXml(page) };
}

function listingXml({ objects, commonPrefixes, isTruncated }: ListedPage): string {
  const last = [objects.at(-1)?.key ?? '', commonPrefixes.at(-1) ?? ''].sort().at(-1) ?? '';
  const token = isTruncated ? `<NextContinuationToken>${last}</NextContinuationToken>` : '';
  const contents = objects.map(
    ({ key, bytes, writtenAt }) =>
      `<Contents><Key>${key}</Key><LastModified>${writtenAt.toISOString()}</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>${bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const folders = commonPrefixes.map((prefix) => `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>labelqueue</Name><KeyCount>${objects.length + commonPrefixes.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${token}${contents.join('')}${folders.join('')}</ListBucketResult>`;
}
