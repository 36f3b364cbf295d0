/**
 * The real worker handler, which also logs what its process holds after each invocation. An
 * invocation without records does no work: it waits until unused connections are closed.
 */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { handler as realHandler } from '../../functions/classify/handler.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';

export type Measurement = {
  rssMb: number;
  /** The most that the process has ever held. */
  maxRssMb: number;
  heapUsedMb: number;
  /** Memory of Buffers and of native code that V8 knows of. */
  externalMb: number;
  tensors: number;
  /** Open ones, those kept for later use included; 0 where there is no `/proc`. */
  sockets: number;
  /** What keeps the process alive: sockets, timers, files, pipes. */
  resources: string[];
};

/** Above every keep-alive time-out in use. */
const IDLE_MS = 10_000;

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  try {
    if (event.Records.length > 0) return await realHandler(event, context);
    await delay(IDLE_MS, undefined, { ref: false });
    return { batchItemFailures: [] };
  } finally {
    process.stdout.write(`${JSON.stringify({ measured: measure() })}\n`);
  }
}

function measure(): Measurement {
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    rssMb: rss / 2 ** 20,
    maxRssMb: process.resourceUsage().maxRSS / 2 ** 10,
    heapUsedMb: heapUsed / 2 ** 20,
    externalMb: external / 2 ** 20,
    tensors: tensorflowUse().tensors,
    sockets: openSockets(),
    resources: process.getActiveResourcesInfo(),
  };
}

/** As the kernel sees it; Node itself names only those that keep the process alive. */
function openSockets(): number {
  const folder = '/proc/self/fd';
  if (!existsSync(folder)) return 0;
  const targets = readdirSync(folder).map((descriptor) => {
    try {
      return readlinkSync(`${folder}/${descriptor}`);
    } catch {
      // The one that the folder itself was read with.
      return '';
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}
