import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { fetchImage, type ImageSources } from '../../shared/classifier/fetch/fetch-image.ts';
import { createHttpClient, type HttpClientOptions } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';

/** What fetchImage needs, and a fetch that is given up early enough for a test. */
export type Fetcher = AsyncDisposable & {
  /** Connections that are open now. */
  openConnections(): number;
  fetch(url: string, timeoutMs?: number, cancelled?: AbortSignal): Promise<Buffer | ImageFailure>;
};

/** Long for a machine that is busy, short for a test that fails. */
const PATIENT_MS = 5_000;

export function createFetcher({
  allowedHosts = [],
  sourceBuckets = [],
  resultsBucket,
  s3 = new S3Client({ region: 'us-east-1' }),
  lookup,
  ...options
}: HttpClientOptions & {
  allowedHosts?: string[];
  sourceBuckets?: string[];
  resultsBucket?: string;
  s3?: S3Client;
  lookup?: LookupFunction;
}): Fetcher {
  const http = createHttpClient(allowedHosts, lookup, options);
  const sources: ImageSources = { http, s3: createObjectReader(s3, sourceBuckets, resultsBucket) };
  const never = new AbortController().signal;
  return {
    fetch: (url, timeoutMs = PATIENT_MS, cancelled = never) => fetchImage(url, sources, cancelled, { timeoutMs }),
    openConnections: () => http.openConnections(),
    [Symbol.asyncDispose]: () => http.close(),
  };
}

/** The code of a fetch that failed as expected; `ok` when it did not fail. */
export function codeOf(outcome: unknown): string {
  return outcome instanceof ImageFailure ? outcome.code : 'ok';
}

/** A DNS whose answers are written down: for each name, one list of addresses a question, the last one for ever. */
export function fakeDns(answers: Record<string, string[][]>): { lookup: LookupFunction; asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, options, callback) => {
    const times = asked.filter((name) => name === hostname).length;
    asked.push(hostname);
    const answer = answers[hostname]?.[times] ?? answers[hostname]?.at(-1) ?? [];
    const addresses: LookupAddress[] = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const [first] = addresses;
    process.nextTick(() => {
      if (first === undefined) callback(Object.assign(new Error(`no ${hostname}`), { code: 'ENOTFOUND' }), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  return { lookup, asked };
}
