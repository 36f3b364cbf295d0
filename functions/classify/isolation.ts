import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import type { Classification } from '../../shared/contract/result-line.ts';

/** The source file when run from source, the bundle when packaged. */
const ISOLATED_CLASSIFIER = join(import.meta.dirname, `isolated-classifier${extname(import.meta.filename)}`);

/** Sent to the isolated process: the image to classify. */
export type IsolatedRequest = { url: string };
/** Sent by the isolated process: `ready` once its model is loaded, then one per request. */
export type IsolatedReport =
  | { kind: 'ready' }
  | ({ kind: 'classified' } & Classification)
  | { kind: 'error'; code: ErrorCode; message: string; retryAfterSeconds?: number };

/** Classifies single images in a disposable process. */
export type IsolatedClassifier = {
  /**
   * An image that crashes its process, or is not done in time, fails as `worker_crashed`.
   *
   * @param timeoutMs for the image, once the isolated process has loaded its model
   * @param signal the worker's deadline: when it comes first, the outcome is `not_reached`
   * @throws when the isolated process cannot be started
   */
  classify(url: string, timeoutMs: number, signal: AbortSignal): Promise<ImageOutcome>;
  close(): void;
};

/** The process starts with the first image, and is replaced after a crash or a timeout. */
export function createIsolatedClassifier(): IsolatedClassifier {
  let running: ChildProcess | undefined;

  /** The process takes a while to exit: the next image must not be sent to it and counted as the cause. */
  const kill = (child: ChildProcess) => {
    if (running === child) running = undefined;
    child.kill('SIGKILL');
  };

  const start = async (signal: AbortSignal): Promise<ChildProcess | undefined> => {
    const child = fork(ISOLATED_CLASSIFIER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    running = child;
    child.once('exit', () => {
      if (running === child) running = undefined;
    });
    const ready = await nextReport(child, signal);
    if (ready === 'exited') throw new Error('the isolated classifier ended before it was ready');
    if (ready !== undefined) return child;
    kill(child);
    return undefined;
  };

  return {
    async classify(url, timeoutMs, signal) {
      const child = running ?? (await start(signal));
      if (child === undefined) return 'not_reached';
      child.send({ url } satisfies IsolatedRequest, ignoreDeadChild);
      const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.floor(timeoutMs))]);
      const report = await nextReport(child, limit);
      if (report === undefined) kill(child);
      if (report === undefined && signal.aborted) return 'not_reached';
      if (report === undefined) return crashed(`gave no answer within ${Math.round(timeoutMs / 1_000)} s`);
      if (report === 'exited') return crashed(`died of ${child.signalCode ?? `exit code ${child.exitCode}`}`);
      return toOutcome(report);
    },
    close() {
      running?.kill('SIGKILL');
    },
  };
}

function crashed(how: string): ImageFailure {
  return new ImageFailure('worker_crashed', `a worker that had this image alone ${how}`);
}

function toOutcome(report: IsolatedReport): ImageOutcome {
  if (report.kind === 'classified') {
    const { kind: _kind, ...classified } = report;
    return classified;
  }
  if (report.kind === 'error') return new ImageFailure(report.code, report.message, report.retryAfterSeconds);
  throw new Error('the isolated classifier was ready twice');
}

/** The child's next report; `exited` when it exits instead, undefined when the signal comes first. */
async function nextReport(child: ChildProcess, signal: AbortSignal): Promise<IsolatedReport | 'exited' | undefined> {
  const done = new AbortController();
  const options = { signal: AbortSignal.any([signal, done.signal]) };
  try {
    return await Promise.race([
      once(child, 'message', options).then(([report]) => report as IsolatedReport),
      once(child, 'exit', options).then(() => 'exited' as const),
    ]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    done.abort();
  }
}

/** A child that has exited already is noticed by its exit event. */
function ignoreDeadChild(): void {}
