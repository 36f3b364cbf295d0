import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { type ErrorCode, ImageFailure } from '../../contract/error-codes.ts';
import { DECODE_TIMEOUT_SECONDS } from '../../contract/limits.ts';
import { decodeTimeout } from './decode-failure.ts';
import type { Decoded, Inspected, PictureFormat } from './picture.ts';

/** The source file when run from source, the bundle when packaged. */
const ISOLATED_DECODER = join(import.meta.dirname, `isolated-decoder${extname(import.meta.filename)}`);

/** Sent to the isolated decoder: the picture to decode. */
export type ApartRequest = { picture: Inspected; format: PictureFormat };
/** Sent by the isolated decoder: `ready` once it has started, then one per request. */
export type ApartReport =
  | { kind: 'ready' }
  | ({ kind: 'decoded' } & Decoded)
  | { kind: 'error'; code: ErrorCode; message: string };

/** How long a decode may take, and what ends it sooner. */
export type ApartLimits = {
  /** For the picture, once the process is ready. */
  timeoutSeconds: number;
  /** Aborts the decode: the promise then rejects with its reason. */
  signal: AbortSignal;
};

/** How long a process may take to start: some seconds on a busy machine. */
const START_TIMEOUT_SECONDS = DECODE_TIMEOUT_SECONDS;

/**
 * Decodes a picture in a separate process, which is killed at the timeout and never outlives the call. Takes about 0.2 s longer
 * than in this process.
 *
 * @throws when the process cannot be started, or crashes, which the picture need not have caused
 */
export async function decodeApart(
  picture: Inspected,
  format: PictureFormat,
  { timeoutSeconds, signal }: ApartLimits,
): Promise<Decoded | ImageFailure> {
  const child = fork(ISOLATED_DECODER, {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const settled = new AbortController();
  const over = AbortSignal.any([settled.signal, signal]);
  try {
    const died = once(child, 'exit', { signal: over }).then(() => {
      throw new Error(`the process that decodes expensive images died of ${child.signalCode ?? child.exitCode}`);
    });
    return await Promise.race([died, decodeIn(child, { picture, format }, timeoutSeconds, over)]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    settled.abort();
    child.kill('SIGKILL');
  }
}

async function decodeIn(
  child: ChildProcess,
  request: ApartRequest,
  timeoutSeconds: number,
  over: AbortSignal,
): Promise<Decoded | ImageFailure> {
  if ((await nextReport(child, START_TIMEOUT_SECONDS, over)) === undefined)
    throw new Error('the process that decodes did not start in time');
  child.send(request, ignoreDeadChild);
  const report = await nextReport(child, timeoutSeconds, over);
  if (report === undefined) return decodeTimeout(timeoutSeconds);
  if (report.kind === 'error') return new ImageFailure(report.code, report.message);
  if (report.kind === 'decoded') return { pixels: report.pixels, size: report.size };
  throw new Error('the isolated decoder was ready twice');
}

/** The next report; undefined when there is none in time. */
async function nextReport(
  child: ChildProcess,
  timeoutSeconds: number,
  over: AbortSignal,
): Promise<ApartReport | undefined> {
  const limit = AbortSignal.timeout(timeoutSeconds * 1_000);
  try {
    const [report] = await once(child, 'message', { signal: AbortSignal.any([limit, over]) });
    return report as ApartReport;
  } catch (error) {
    if (limit.aborted && !over.aborted) return undefined;
    throw error;
  }
}

/** A child that has exited already is noticed by its exit event. */
function ignoreDeadChild(): void {}
