import { join } from 'node:path';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { formatMessage, type ImageRef, type QueueMessage } from '../../shared/contract/message.ts';
import type { PartKind } from '../../shared/contract/object-keys.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { listParts, totalLines } from '../../shared/jobs/list-parts.ts';
import { readOutcomes } from '../../shared/jobs/read-outcomes.ts';
import { type ImageServer, startImageServer } from '../../testkit/image-server.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { ExecutionEnvironment, type FunctionConfiguration } from '../../worker/execution-environment.ts';
import { changedModel } from '../classifier/model-folders.ts';
import { channelMeans } from '../classifier/tiny-model.ts';
import { type Delivery, deliver, deliverAll, receive, redeliver } from './deliveries.ts';
import { type PictureServer, startPictureServer } from './picture-server.ts';
import { startTargetedFaults, type TargetedFaults } from './targeted-faults.ts';

const HANDLER = join(import.meta.dirname, '../../functions/classify/handler.ts');
const POISON_IMAGES = join(import.meta.dirname, 'poison-images.mjs');

/** The outcome of each image of a message, as users see it; `failed` has the error codes. */
export type Seen = { classified: string[]; failed: Record<string, string> };
export type InQueue = { ids: string[]; attempt: number; hops: number; receiveCount: number; delaySeconds: number };

/** The real worker, images for it, and faults between it and AWS. */
export type Harness = AsyncDisposable & {
  aws: TestAws;
  faults: TargetedFaults;
  pictures: PictureServer;
  misbehaving: ImageServer;
  worker: ExecutionEnvironment;
  /** Another worker, which the caller shuts down; variables and flags are added to those of the first one. */
  startWorker(different?: Partial<FunctionConfiguration>): Promise<ExecutionEnvironment>;
  /** An image that can be classified. */
  good(id: string): ImageRef;
  /** An image that fails permanently, with the id `missing`. */
  missing(): ImageRef;
  /** An image that fails now and would fail again, with the id `busy`. */
  busy(): ImageRef;
  seen(job?: string): Promise<Seen>;
  /** Lines of the job `job` as a listing counts them: of files with the same images, those of the latest. */
  listed(kind: PartKind): Promise<number>;
  inQueue(): InQueue[];
  /** The ids of the images in the DLQ, in order. */
  inDeadLetters(): string[];
  /** See `deliveries.ts`; to the harness's own worker by default. */
  deliver(worker?: ExecutionEnvironment, deleter?: SQSClient): Promise<Delivery>;
  deliverAll(): Promise<void>;
  receive(): Promise<SQSRecord[]>;
  redeliver(records: SQSRecord[]): Promise<void>;
  /** Receives what is on the queue and processes nothing, like workers that crash at once. */
  receiveWithoutWorker(times: number): Promise<void>;
  /** Ends all faults, and empties queues and bucket. */
  reset(): void;
};

export async function startHarness(): Promise<Harness> {
  const [aws, pictures, misbehaving] = await Promise.all([startTestAws(), startPictureServer(), startImageServer()]);
  const faults = await startTargetedFaults(aws);
  // The contract does not depend on the model: a tiny one keeps a thousand images cheap.
  const model = await changedModel({
    config: { inputSize: 8, output: 'means' },
    files: { 'saved_model.pb': channelMeans(8, 'float32'), 'labels.txt': 'red\ngreen\nblue\n' },
  });
  const startWorker = async ({ environment, execArgv = [], ...others }: Partial<FunctionConfiguration> = {}) => {
    const worker = new ExecutionEnvironment({
      handlerPath: HANDLER,
      timeoutSeconds: 120,
      environment: {
        ...faults.environment,
        // No retries of the SDK, and no delays of our own: each fault has its effect at once.
        AWS_MAX_ATTEMPTS: '1',
        RETRY_BASE_SECONDS: '0',
        MODEL_DIR: model.path,
        ALLOWED_HOSTS: `${pictures.host},${misbehaving.host}`,
        ...environment,
      },
      execArgv: ['--import', POISON_IMAGES, ...execArgv],
      onLog() {},
      ...others,
    });
    await worker.initialize();
    return worker;
  };
  const worker = await startWorker();
  return {
    aws,
    faults,
    pictures,
    misbehaving,
    worker,
    startWorker,
    good: (id) => ({ id, url: pictures.url(`/${id}`) }),
    missing: () => ({ id: 'missing', url: misbehaving.url('/status/404') }),
    busy: () => ({ id: 'busy', url: misbehaving.url('/status/503') }),
    seen: (job = 'job') => seen(aws, job),
    listed: async (kind) => totalLines(await listParts(aws.target, kind, { job: 'job' })),
    inQueue: () => aws.queued().map(({ body, ...others }) => inQueue(body, others)),
    inDeadLetters: () =>
      aws
        .deadLetters()
        .flatMap(({ body }) => inQueue(body).ids)
        .toSorted(),
    deliver: (to = worker, deleter) => deliver(aws, to, deleter),
    deliverAll: () => deliverAll(aws, worker),
    receive: () => receive(aws),
    redeliver: (records) => redeliver(aws, records),
    async receiveWithoutWorker(times) {
      for (let delivery = 0; delivery < times; delivery++) await redeliver(aws, await receive(aws));
    },
    reset() {
      faults.heal();
      aws.clear();
    },
    async [Symbol.asyncDispose]() {
      await worker.shutDown();
      await Promise.all([faults, pictures, misbehaving, model].map((one) => one[Symbol.asyncDispose]()));
      await aws.stop();
    },
  };
}

/** The body of a message of the job `job`. */
export function bodyOf(images: ImageRef[], attempt = 1, hops = 0): string {
  return formatMessage({ job: 'job', attempt, ...(hops > 0 && { hops }), images });
}

async function seen(aws: TestAws, job: string): Promise<Seen> {
  const { results, failures } = await readOutcomes(aws.target, job);
  return {
    classified: [...results.keys()].toSorted(),
    failed: Object.fromEntries([...failures].map(([id, { error }]) => [id, error.code])),
  };
}

function inQueue(body: string, { receiveCount = 0, delaySeconds = 0 } = {}): InQueue {
  const { images, attempt, hops = 0 } = parseMessage(body) as QueueMessage;
  return { ids: images.map(({ id }) => id).toSorted(), attempt, hops, receiveCount, delaySeconds };
}
