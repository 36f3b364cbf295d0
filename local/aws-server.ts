import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Refusal, refusalOf, sendRefusal } from './aws-gate.ts';
import { addConditionalWrites } from './conditional-writes.ts';
import { DiskRoom } from './disk-room.ts';
import {
  applyInitConfig,
  buildApp,
  type FauxqsInitConfig,
  S3Store,
  SnsStore,
  type SqsQueue,
  SqsStore,
  type StoredObject,
} from './fauxqs-parts.ts';
import { ObjectFiles } from './object-files.ts';
import { QueueDatabase } from './queue-database.ts';
import { type QueueDepth, queueDepth } from './queue-depth.ts';

/** How long a request may take to arrive; a long poll has arrived before it waits. */
const REQUEST_TIMEOUT_MS = 60_000;

export type AwsServerOptions = {
  /** On 127.0.0.1; 0 for any free port. */
  port: number;
  region: string;
  /** The access key ID that each request must contain. */
  accessKeyId: string;
  /** The folder of queues and objects; without it, they are in memory. */
  dataDir: string | undefined;
  /** Called with a line for each notable event: ignored damage, a full disk. */
  onNotice: (text: string) => void;
};

/** SQS, SNS and S3 behind an access check, and operations from inside the process. */
export type AwsServer = {
  port: number;
  createQueue(name: string, attributes?: Record<string, string>): void;
  deleteQueue(name: string): void;
  /** The messages of a queue; undefined if it does not exist. Does not receive them. */
  inspectQueue(name: string): { messages: ReturnType<SqsQueue['inspectMessages']> } | undefined;
  /** The depth of a queue; undefined if it does not exist. Does not receive messages. */
  depthOf(name: string): QueueDepth | undefined;
  sendMessage(queue: string, body: string, options: { delaySeconds: number }): void;
  /** Puts an object without a request: it is as old as it claims to be. */
  storeObject(bucket: string, object: StoredObject): void;
  setup(config: FauxqsInitConfig): void;
  /** Empties queues and buckets. */
  reset(): void;
  stop(): Promise<void>;
};

type Stores = { sqsStore: SqsStore; snsStore: SnsStore; s3Store: S3Store };
type Files = { queues: QueueDatabase; objects: ObjectFiles; room: DiskRoom };

/** Starts the service on loopback alone. */
export async function startAwsServer(options: AwsServerOptions): Promise<AwsServer> {
  const { port: wanted, region, accessKeyId } = options;
  const stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  const files = loadFiles(stores, options);
  const app = buildApp({ logger: false, defaultRegion: region, stores });
  addConditionalWrites(app, stores.s3Store);
  if (files !== undefined) {
    app.addHook('preClose', (done) => {
      files.queues.close();
      done();
    });
  }
  guard(app.server, (request, response) => isLetThrough(request, response, accessKeyId, files?.room));
  app.server.requestTimeout = REQUEST_TIMEOUT_MS;
  await app.listen({ port: wanted, host: '127.0.0.1' }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  const port = Number(new URL(app.listeningOrigin).port);
  const setup = (config: FauxqsInitConfig) =>
    void applyInitConfig(config, stores.sqsStore, stores.snsStore, stores.s3Store, { port, region });
  return {
    port,
    createQueue: (name, attributes = {}) => setup({ queues: [{ name, attributes }] }),
    deleteQueue: (name) => void stores.sqsStore.deleteQueue(stores.sqsStore.getQueueByName(name)?.url ?? ''),
    inspectQueue: (name) => stores.sqsStore.inspectQueue(name),
    depthOf(name) {
      const queue = stores.sqsStore.getQueueByName(name);
      return queue && queueDepth(queue);
    },
    sendMessage: (queue, body, { delaySeconds }) => sendMessage(stores.sqsStore, queue, body, delaySeconds),
    storeObject(bucket, object) {
      stores.s3Store.restoreObject(bucket, object);
      files?.objects.upsertObject(bucket, object);
    },
    setup,
    reset: () => reset(stores, files),
    stop: () => app.close(),
  };
}

/** Loads stored data before persistence is enabled: loading must write nothing. */
function loadFiles(
  { sqsStore, snsStore, s3Store }: Stores,
  { dataDir, onNotice }: AwsServerOptions,
): Files | undefined {
  if (dataDir === undefined) return undefined;
  const room = new DiskRoom(dataDir, onNotice);
  const queues = new QueueDatabase({ dataDir, room, onDamage: onNotice });
  const objects = new ObjectFiles({ folder: join(dataDir, 's3'), room, onDamage: onNotice });
  queues.loadSqsAndSns(sqsStore, snsStore);
  objects.loadS3(s3Store);
  sqsStore.persistence = queues;
  snsStore.persistence = queues;
  for (const queue of sqsStore.allQueues()) queue.persistence = queues;
  s3Store.persistence = objects;
  return { queues, objects, room };
}

/** Checks a request before the server routes or parses it. */
function guard(server: Server, isLetThrough: (request: IncomingMessage, response: ServerResponse) => boolean): void {
  const handlers = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!isLetThrough(request, response)) return;
    // fauxqs takes an upload without a type and without bytes, as boto3 sends it, as one without a body, and fails.
    if (request.method === 'PUT') request.headers['content-type'] ??= 'application/octet-stream';
    for (const handle of handlers) handle(request, response);
  });
}

function isLetThrough(
  request: IncomingMessage,
  response: ServerResponse,
  accessKeyId: string,
  room?: DiskRoom,
): boolean {
  const refusal = refusalOf(request, accessKeyId) ?? fullDisk(request, room);
  if (refusal !== undefined) sendRefusal(request, response, refusal);
  return refusal === undefined;
}

/** Messages received while results cannot be written would only use up their receives. */
function fullDisk({ headers }: IncomingMessage, room: DiskRoom | undefined): Refusal | undefined {
  if (headers['x-amz-target'] !== 'AmazonSQS.ReceiveMessage' || room === undefined || room.hasRoom()) return undefined;
  return { status: 503, code: 'ServiceUnavailable', message: 'the disk of the state folder is full' };
}

function sendMessage(store: SqsStore, name: string, body: string, delaySeconds: number): void {
  const queue = store.getQueueByName(name);
  if (queue === undefined) throw new Error(`expected a queue named ${name}`);
  queue.enqueue(SqsStore.createMessage(body, {}, delaySeconds));
}

function reset({ sqsStore, s3Store }: Stores, files: Files | undefined): void {
  sqsStore.clearMessages();
  s3Store.clearObjects();
  files?.objects.deleteAllObjects();
  files?.objects.deleteAllMultipartUploads();
}
