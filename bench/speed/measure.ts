import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { formatMessage } from '../../shared/contract/message.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { createSqsClient } from '../../shared/jobs/sqs-client.ts';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import type { Stages } from './measure-stages.ts';
import { BASELINE, type Kind, LARGE } from './pictures.ts';
import type { Services } from './programs.ts';
import { startWorker, type WorkerProgram, type WorkerRun } from './run-worker.ts';

/** The core that workers and stages have to themselves; servers are on the others. */
export const WORKER_CORE = 0;
export const SERVER_CORE = 1;

/** What a run is given to do; `job` keeps its results apart. */
export type Work = { job: string; images: number; perMessage: number; kind: Kind; delayMs: number };

export const BASELINE_WORK: Work = {
  job: 'ordinary',
  images: 2_000,
  perMessage: DEFAULT_IMAGES_PER_MESSAGE,
  kind: BASELINE,
  delayMs: 0,
};
export const SLOW_WORK: Work = { ...BASELINE_WORK, job: 'slow', delayMs: 300 };
/** As many as one invocation may be given. */
export const LARGE_WORK: Work = { ...BASELINE_WORK, job: 'large', images: 500, kind: LARGE };
/** In small messages, so that two workers end at the same time. */
export const SHARED_WORK: Work = { ...BASELINE_WORK, job: 'shared', images: 4_000, perMessage: 20 };

/** @param added variables, e.g. those under which a process sees AVX2 alone */
export async function measureStages(
  { environment, photos }: Services,
  added: Readonly<Record<string, string>> = {},
): Promise<Stages> {
  const module = join(import.meta.dirname, 'measure-stages.ts');
  const command = ['-c', String(WORKER_CORE), process.execPath, module, photos[0] ?? ''];
  const { stdout } = await promisify(execFile)('taskset', command, {
    env: { ...process.env, ...environment, ...added },
  });
  return JSON.parse(stdout) as Stages;
}

/** Fills the queue, then lets one worker per core empty it. @returns what all of them did together */
export async function measureWorkers({
  program,
  cores,
  work,
  aws,
  photos,
}: {
  program: WorkerProgram;
  cores: readonly number[];
  work: Work;
  aws: AwsAccess;
  /** `host:port` of the servers of photos. */
  photos: readonly string[];
}): Promise<WorkerRun & { imagesPerSecond: number }> {
  await fillQueue(work, aws, photos);
  const workers = await Promise.all(cores.map((core) => startWorker(program, core)));
  const started = performance.now();
  const runs = await Promise.all(workers.map((worker) => worker.run()));
  const elapsed = (performance.now() - started) / 1_000;
  const images = runs.reduce((sum, run) => sum + run.images, 0);
  if (images !== work.images) throw new Error(`expected ${program.name} to do ${work.images} images, it did ${images}`);
  const seconds = cores.length === 1 ? (runs[0]?.seconds ?? elapsed) : elapsed;
  return { images, seconds, imagesPerSecond: images / seconds, maxRssMb: Math.max(...runs.map((run) => run.maxRssMb)) };
}

async function fillQueue(
  { job, images, perMessage, kind, delayMs }: Work,
  { environment, clientConfig }: AwsAccess,
  photos: readonly string[],
) {
  const sqs = createSqsClient(clientConfig);
  const refs = Array.from({ length: images }, (_, number) => {
    const url = `http://${photos[number % photos.length]}/${encodeURIComponent(kind)}/${number}${delayMs > 0 ? `?delay=${delayMs}` : ''}`;
    return { id: `image-${number}`, url };
  });
  const bodies: { body: string }[] = [];
  for (let start = 0; start < images; start += perMessage) {
    const ofMessage = refs.slice(start, start + perMessage);
    bodies.push({ body: formatMessage({ job, attempt: 1, images: ofMessage }) });
  }
  await sendMessages(sqs, environment.QUEUE_URL, bodies);
  sqs.destroy();
}

/** Removes everything that workers have written so far. */
export async function forgetResults({ environment, clientConfig }: AwsAccess): Promise<void> {
  const s3 = new S3Client(clientConfig);
  const Bucket = environment.RESULTS_BUCKET;
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    if (Contents.length === 0) break;
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }));
  }
  s3.destroy();
}

/** The best class of each image by its id, from the lines that a worker wrote below a prefix. */
export async function bestClasses(
  prefix: string,
  { environment, clientConfig }: AwsAccess,
): Promise<Map<string, number>> {
  const s3 = new S3Client(clientConfig);
  const Bucket = environment.RESULTS_BUCKET;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
  const best = new Map<string, number>();
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    for (const line of ((await Body?.transformToString()) ?? '').split('\n')) {
      if (line === '') continue;
      const { id, labels } = JSON.parse(line) as { id: string; labels: { classId: number }[] };
      best.set(id, labels[0]?.classId ?? -1);
    }
  }
  s3.destroy();
  return best;
}
