import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startSampleServer } from '../../local/sample-server.ts';
import { createJobTarget } from '../../shared/jobs/job-target.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { jobSettingsFrom } from '../../shared/settings.ts';
import { type AwsAccess, startAwsProcess } from '../../testkit/aws-process.ts';
import { childrenOf, cpuMs, residentMb } from '../../testkit/process-tree.ts';
import { pinToCore } from '../pin-to-core.ts';

const MAIN = join(import.meta.dirname, '../../worker/main.ts');
const SAMPLES = join(import.meta.dirname, '../../samples');
const PHOTOS = ['astronaut.jpg', 'chelsea.jpg', 'coffee.jpg'];
const IMAGES_PER_MESSAGE = 20;
const VISIBILITY_SECONDS = 300;

export type WorkMeasurement = {
  processes: number;
  images: number;
  /** From when all processes were ready until the last image was classified. */
  seconds: number;
  imagesPerSecond: number;
  /** Of the processes that classify, in that time. */
  cpuMsPerImage: number;
  /** Share of that time in which these processes had an invocation: what the loop answers for. */
  occupied: number;
  /** Share of that time in which these processes computed, of as many cores. */
  busy: number;
  /** Of the loop itself. */
  loopCpuMsPerImage: number;
  /** Cores that the servers of SQS, S3 and images left to the loop and its processes; only when they were pinned. */
  cores?: number;
  maxRssMb: number;
};

/**
 * Classifies so many photos from a full queue on loopback.
 *
 * @param work.pinned gives the loop the first cores of the machine, one per process, and the servers the last one
 */
export async function measureWork({
  images,
  processes,
  pinned,
}: {
  images: number;
  processes: number;
  pinned: boolean;
}): Promise<WorkMeasurement> {
  const serverCore = cpus().length - 1;
  if (pinned) pinToCore(serverCore);
  await using aws = await startAwsProcess({ visibilityTimeoutSeconds: VISIBILITY_SECONDS });
  const photos = await startSampleServer(SAMPLES);
  const pin = pinned ? ['taskset', '-c', `0-${processes - 1}`] : [];
  const [command = process.execPath, ...args] = [...pin, process.execPath, '--no-warnings', MAIN];
  const loop = spawn(command, args, {
    env: {
      ...process.env,
      ...aws.report.environment,
      ALLOWED_HOSTS: photos.baseUrl.host,
      WORK_PROCESSES: String(processes),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(loop, 'exit');
  const lines = createInterface(loop.stdout);
  try {
    const run = followLog(lines, { images, processes });
    await run.ready;
    const pid = loop.pid ?? 0;
    const children = childrenOf(pid);
    const servers = [process.pid, ...childrenOf(process.pid).filter((child) => child !== pid)];
    const before = {
      at: performance.now(),
      cpu: sum(children.map(cpuMs)),
      loop: cpuMs(pid),
      servers: sum(servers.map(cpuMs)),
    };
    await enqueue(aws.report, photos.baseUrl, images);
    await run.done;
    const seconds = (performance.now() - before.at) / 1_000;
    const cpu = sum(children.map(cpuMs)) - before.cpu;
    const serverCpu = sum(servers.map(cpuMs)) - before.servers;
    return {
      processes,
      images,
      seconds: rounded(seconds),
      imagesPerSecond: rounded(images / seconds),
      cpuMsPerImage: rounded(cpu / images),
      occupied: rounded(run.invocationMs() / 1_000 / seconds / processes),
      busy: rounded(cpu / 1_000 / seconds / processes),
      loopCpuMsPerImage: rounded((cpuMs(pid) - before.loop) / images),
      ...(pinned && { cores: rounded(processes - (serverCore < processes ? serverCpu / 1_000 / seconds : 0)) }),
      maxRssMb: run.maxRssMb(),
    };
  } finally {
    loop.kill('SIGTERM');
    await exited;
    await photos.close();
  }
}

type Run = { ready: Promise<void>; done: Promise<void>; maxRssMb: () => number; invocationMs: () => number };

type Logged = { message?: string; classified?: number; ms?: number };

function followLog(
  lines: ReturnType<typeof createInterface>,
  { images, processes }: { images: number; processes: number },
): Run {
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  let started = 0;
  let classified = 0;
  let maxRssMb = 0;
  let invocationMs = 0;
  lines.on('line', (line) => {
    const { message, classified: more = 0, ms = 0 }: Logged = JSON.parse(line);
    if (message === 'worker started' && ++started === processes) ready.resolve();
    if (message !== 'invocation') return;
    maxRssMb = Math.max(maxRssMb, ...childrenOf(process.pid).flatMap(childrenOf).map(residentMb));
    classified += more;
    invocationMs += ms;
    if (classified >= images) done.resolve();
  });
  lines.once('close', () => done.reject(new Error('the loop has ended before its work was done')));
  return {
    ready: ready.promise,
    done: done.promise,
    maxRssMb: () => Math.round(maxRssMb),
    invocationMs: () => invocationMs,
  };
}

async function enqueue({ environment, clientConfig }: AwsAccess, photos: URL, images: number): Promise<void> {
  const target = createJobTarget(jobSettingsFrom(environment), clientConfig);
  const refs = Array.from({ length: images }, (_, index) => ({
    id: String(index),
    url: new URL(`photos/${PHOTOS[index % PHOTOS.length]}`, photos).href,
  }));
  const bodies = Array.from({ length: Math.ceil(images / IMAGES_PER_MESSAGE) }, (_, index) => ({
    body: JSON.stringify({
      v: 1,
      job: 'bench',
      attempt: 1,
      images: refs.slice(index * IMAGES_PER_MESSAGE, (index + 1) * IMAGES_PER_MESSAGE),
    }),
  }));
  await sendMessages(target.sqs, target.queueUrl, bodies);
  target.sqs.destroy();
  target.s3.destroy();
}

function sum(values: number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
