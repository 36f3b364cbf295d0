import { AsyncLocalStorage } from 'node:async_hooks';
import { DeleteMessageBatchCommand } from '@aws-sdk/client-sqs';
import { expect } from '@jest/globals';
import type { SQSRecord } from 'aws-lambda';
import { hasEnded } from '../../cli/jobs/job-target.ts';
import { Cancellations } from '../../functions/classify/cancellations.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { CANCELLATION_CHECK_MS } from '../../shared/contract/limits.ts';
import type { ImageRef } from '../../shared/contract/message.ts';
import { enqueue, newJob } from '../../shared/jobs/enqueue.ts';
import { jobStatus } from '../../shared/jobs/job-status.ts';
import { cancelJob, isCancelled, newestRun, readJob } from '../../shared/jobs/job-store.ts';
import { purgeJob } from '../../shared/jobs/purge-job.ts';
import { type RedriveResult, redrive } from '../../shared/jobs/redrive.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { greyPng } from '../classifier/pictures.ts';
import { receive } from './deliveries.ts';
import { createInjectedWorker, type InjectedWorker } from './injected-worker.ts';

export const JOB = 'again';
const PICTURE = greyPng(8, 8, Buffer.alloc(8 * (1 + 8)));
/** Few, so that several messages are in flight. */
const IMAGES_PER_MESSAGE = 2;

/**
 * The images of the `n`th time that the job is enqueued: ids that all runs have, with URLs that show the run, and one
 * that only this run has. `missing` fails permanently, `flaky` at its first attempt.
 */
export function imagesOf(n: number): ImageRef[] {
  return ['same', 'missing', 'flaky', 'other', `only-${n}`].map((id) => ({
    id,
    url: `https://host.example/${n}/${id}`,
  }));
}

/** Fetches of one invocation that wait. */
type Hold = { begun: PromiseWithResolvers<void>; over: PromiseWithResolvers<void> };
type BusyWorker = { hold: Hold; done: Promise<void> };

/** A job that is enqueued, cancelled, purged and redriven in any order, beside a worker that may be busy and never restarts. */
export class RepeatedJob implements AsyncDisposable {
  /** How often the job was enqueued. */
  enqueued = 0;
  /** How many images were fetched. */
  fetches = 0;
  readonly #aws: TestAws;
  readonly #worker: InjectedWorker;
  readonly #fetched = new Set<string>();
  readonly #holds = new AsyncLocalStorage<Hold>();
  #busy: BusyWorker[] = [];
  #now = 0;

  constructor(aws: TestAws) {
    this.#aws = aws;
    this.#worker = createInjectedWorker(aws, [], {
      fetch: (url) => this.#fetch(url),
      cancellations: new Cancellations(
        (of) => isCancelled(aws.target, of),
        () => this.#now,
      ),
      retryBaseSeconds: 0,
    });
  }

  /** As the command does: refused while the name is in use. */
  async enqueue(): Promise<void> {
    const { target } = this.#aws;
    if ((await readJob(target, JOB)) !== undefined) return;
    const images = imagesOf(++this.enqueued);
    const source = { source: '-', sourceDigest: String(this.enqueued) };
    const plan = newJob({ job: JOB, ...source, perMessage: IMAGES_PER_MESSAGE, images: images.length });
    await enqueue(target, toAsync(images), plan);
  }

  /** As the command does: refused when there is no such job. */
  async cancel(): Promise<void> {
    const status = await jobStatus(this.#aws.target, JOB, new Date());
    if (status !== undefined) await cancelJob(this.#aws.target, status, 'test');
  }

  /** As the command does: refused while the job runs. */
  async purge(): Promise<void> {
    const status = await jobStatus(this.#aws.target, JOB, new Date());
    if (status === undefined || hasEnded(status)) await purgeJob(this.#aws.target, JOB);
  }

  /** As the command does: refused when the job is cancelled. */
  async redrive(): Promise<RedriveResult | undefined> {
    const { target } = this.#aws;
    const of = await newestRun(target, JOB);
    if (await isCancelled(target, of)) return undefined;
    const options = { codes: undefined, perMessage: IMAGES_PER_MESSAGE, dryRun: false };
    return redrive(target, { ...of, ...options }, new Date());
  }

  /** The worker takes what is on the queue, and is in the middle of it until `finish`. */
  async take(): Promise<void> {
    const records = await receive(this.#aws);
    const hold: Hold = { begun: Promise.withResolvers(), over: Promise.withResolvers() };
    const done = this.#holds.run(hold, () => this.#process(records));
    this.#busy.push({ hold, done });
    await Promise.race([hold.begun.promise, done]);
  }

  async finish(): Promise<void> {
    const busy = this.#busy.splice(0);
    for (const { hold } of busy) hold.over.resolve();
    await Promise.all(busy.map(({ done }) => done));
  }

  /** Works on what is on the queue, whatever the worker has in its hands. */
  async work(): Promise<void> {
    for (let records = await receive(this.#aws); records.length > 0; records = await receive(this.#aws)) {
      await this.#process(records);
    }
  }

  /** So much that the worker asks again what is cancelled. */
  timePasses(): void {
    this.#now += CANCELLATION_CHECK_MS;
  }

  async #process(records: SQSRecord[]): Promise<void> {
    expect(await this.#worker.process(records)).toEqual([]);
    if (records.length === 0) return;
    const { sqs, queueUrl: QueueUrl } = this.#aws.target;
    const Entries = records.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }

  async #fetch(url: string): Promise<Buffer | ImageFailure> {
    this.fetches++;
    const hold = this.#holds.getStore();
    hold?.begun.resolve();
    await hold?.over.promise;
    if (url.endsWith('missing')) return new ImageFailure('not_found', 'expected status 200, got 404');
    const isFirst = !this.#fetched.has(url);
    this.#fetched.add(url);
    return url.endsWith('flaky') && isFirst
      ? new ImageFailure('server_error', 'expected status 200, got 503')
      : PICTURE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
    await this.#worker[Symbol.asyncDispose]();
  }
}

async function* toAsync<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
