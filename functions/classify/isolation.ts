import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import type { ImageOutcome } from '../../shared/classifier/classify-images.ts';
import { type ErrorCode, ImageFailure } from '../../shared/contract/error-codes.ts';
import type { Classification } from '../../shared/contract/result-line.ts';

/** The source while it runs from source, the bundle once it is packaged. */
const ISOLATED_CLASSIFIER = join(import.meta.dirname, `isolated-classifier${extname(import.meta.filename)}`);

export type IsolatedRequest = { url: string };
export type IsolatedReport =
  | { kind: 'ready' }
  | ({ kind: 'classified' } & Classification)
  | { kind: 'error'; code: ErrorCode; message: string; retryAfterSeconds?: number };

/** Classifies single images where they can kill a process that nobody needs. */
export type IsolatedClassifier = {
  /**
   * An image that kills its process, or that gives no answer in time, is `worker_crashed`.
   *
   * @param timeoutMs for the image, once the isolated process has its model loaded
   * @param signal the worker's deadline: the outcome is then `not_reached`
   * @throws when no isolated process can be started
   */
  classify(url: string, timeoutMs: number, signal: AbortSignal): Promise<ImageOutcome>;
  close(): void;
};

export function createIsolatedClassifier(): IsolatedClassifier {
  let running: ChildProcess | undefined;

  /** It takes a while to die: the next image shall not get it meanwhile, and be blamed for its death. */
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

/** The child's next report; `exited` when it dies instead, undefined when the signal comes first. */
async function nextReport(child: ChildProcess, signal: AbortSignal): Promise<IsolatedReport | 'exited' | undefined> {
  const settled = new AbortController();
  const options = { signal: AbortSignal.any([signal, settled.signal]) };
  try {
    return await Promise.race([
      once(child, 'message', options).then(([report]) => report as IsolatedReport),
      once(child, 'exit', options).then(() => 'exited' as const),
    ]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    settled.abort();
  }
}

/** A child that is gone already reports so by its exit. */
function ignoreDeadChild(): void {}
