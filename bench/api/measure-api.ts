import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withConcurrency } from '../with-concurrency.ts';
import type { ApiProcessOptions, ApiReport } from './api-process.ts';

export type Api = AsyncDisposable & {
  address: string;
  /** Images of each inference since the last call. */
  batches(): Promise<number[]>;
};

export async function startApi(options: ApiProcessOptions): Promise<Api> {
  const child = fork(join(import.meta.dirname, 'api-process.ts'), [JSON.stringify(options)], { execArgv: [] });
  const report = async <Kind extends ApiReport>() => (await once(child, 'message'))[0] as Kind;
  const { address } = await report<{ address: string }>();
  return {
    address,
    async batches() {
      // The log comes by another way than the answers.
      await delay(100);
      const reported = report<{ batches: number[] }>();
      child.send('batches');
      return (await reported).batches;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

/** One request for one image. */
export type Caller = (number: number) => Promise<Response>;

/** Asks with an address: the API fetches the image from a server on loopback. */
export function byUrl({ address }: Api, urls: readonly string[]): Caller {
  return (number) => fetch(`${address}/classify?url=${encodeURIComponent(urls[number % urls.length] as string)}`);
}

/** Sends the image along. */
export function byBody({ address }: Api, pictures: readonly Buffer[]): Caller {
  const headers = { 'content-type': 'image/jpeg' };
  return (number) => {
    const body = pictures[number % pictures.length] as Buffer<ArrayBuffer>;
    return fetch(`${address}/classify`, { method: 'POST', body, headers });
  };
}

/** Milliseconds from each request to all of its answer, so many callers at once. */
export async function latencies(call: Caller, requests: number, atOnce: number): Promise<number[]> {
  const times: number[] = [];
  await withConcurrency(requests, atOnce, async (number) => {
    const started = performance.now();
    const response = await call(number);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`expected 200, got ${response.status}: ${text}`);
    times.push(performance.now() - started);
  });
  return times;
}
