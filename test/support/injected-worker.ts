import type { SQSRecord } from 'aws-lambda';
import { Cancellations } from '../../functions/classify/cancellations.ts';
import { processBatch } from '../../functions/classify/process-batch.ts';
import { WorkTime } from '../../functions/classify/work-time.ts';
import type { WorkerDependencies } from '../../functions/classify/worker-dependencies.ts';
import type { Pipeline } from '../../shared/classifier/classify-images.ts';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createHttpClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { FETCH_TIMEOUT_MS } from '../../shared/contract/limits.ts';
import type { TestAws } from '../../testkit/test-aws.ts';
import { NO_GUARD } from './no-guard.ts';
import { destinationsOf } from './test-worker.ts';

/** What a test decides; the rest is as in the real worker, but for a model that knows one label. */
export type Injected = Partial<Omit<WorkerDependencies, 'pipeline'>> &
  Partial<Pick<Pipeline, 'fetch' | 'apart'>> & {
    infer?: Pipeline['classifier']['infer'];
    /** Milliseconds until the deadline; asked whenever the worker asks. */
    msLeft?: () => number;
    /** The deadline's signal; asked for each `process`. */
    signal?: () => AbortSignal;
  };

/** A worker in this process whose time, chance and surprises a test decides. */
export type InjectedWorker = AsyncDisposable & {
  /** Processes the records. @returns the ids that must not be acknowledged */
  process(records: SQSRecord[]): Promise<string[]>;
};

/** @param allowedHosts as the setting ALLOWED_HOSTS has them */
export function createInjectedWorker(aws: TestAws, allowedHosts: string[], injected: Injected): InjectedWorker {
  const http = createHttpClient(allowedHosts);
  const sources = { http, s3: createObjectReader(aws.target.s3, []) };
  const {
    fetch = (url, signal) => fetchImage(url, sources, signal, { timeoutMs: FETCH_TIMEOUT_MS }),
    infer = (images) => images.map(() => [{ label: 'cat', score: 1, classId: 0 }]),
    msLeft = () => 60_000,
    signal = () => new AbortController().signal,
    apart,
    ...others
  } = injected;
  const dependencies: WorkerDependencies = {
    pipeline: { fetch, classifier: classifier(infer), topK: 1, ...(apart && { apart }), close: () => http.close() },
    isolatedClassifier: {
      classify: () => Promise.reject(new Error('expected no image to be isolated')),
      close() {},
    },
    destinations: destinationsOf(aws.target),
    telemetry: {
      stage() {},
      batch() {},
      settled() {},
      unsettled() {},
      malformed() {},
      lastDelivery() {},
      invoked() {},
    },
    retryBaseSeconds: 10,
    cancellations: new Cancellations(async () => false),
    jobGuard: NO_GUARD,
    workTime: new WorkTime(),
    now: () => new Date(),
    random: () => 0.5,
    ...others,
  };
  return {
    process: (records) => processBatch(records, dependencies, { signal: signal(), msLeft }),
    [Symbol.asyncDispose]: () => http.close(),
  };
}

function classifier(infer: Pipeline['classifier']['infer']): Pipeline['classifier'] {
  const id = { name: 'one-label', version: '1' };
  const format = { inputSize: 8, crop: 1, interpolation: 'nearest', signature: '', output: '', licence: '' } as const;
  return { id, arithmetic: 'float32', format: { ...id, ...format }, notes: [], infer, dispose() {} };
}
