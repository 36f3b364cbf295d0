import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** How to start a worker, and what its settings are beside those of the queue. */
export type WorkerProgram = {
  name: string;
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  settings: Readonly<Record<string, string>>;
};

/** A worker whose model is warm, waiting for its start. */
export type WaitingWorker = {
  /** Lets it empty the queue. */
  run(): Promise<WorkerRun>;
};

export type WorkerRun = { images: number; seconds: number; maxRssMb: number };

/**
 * Starts a worker on one core and waits until it is warm.
 *
 * @throws when it ends before it is done, with what it said on standard error
 */
export async function startWorker(program: WorkerProgram, core: number): Promise<WaitingWorker> {
  const { name, command, environment, settings } = program;
  const child = spawn('taskset', ['-c', String(core), ...command], { env: { ...process.env, ...environment } });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint = `${complaint}${text}`.slice(-4_000);
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async (wanted: RegExp) => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended early:\n${complaint}`);
      // Our worker logs to standard output, as Lambda wants it.
      if (wanted.test(value)) return value;
    }
  };
  child.stdin.write(`${JSON.stringify(settings)}\n`);
  await nextLine(/^ready$/);
  return {
    async run() {
      const ended = once(child, 'exit');
      child.stdin.write('\n');
      const memory = watchMemory(child);
      const report = JSON.parse(await nextLine(/^\{"images"/)) as { images: number; seconds: number };
      const maxRssMb = memory.stop();
      await ended;
      return { ...report, maxRssMb };
    },
  };
}

const LOOK_EVERY_MS = 200;

/** The most memory that a process was seen to hold; Linux only, as the benchmark is. */
function watchMemory({ pid }: ChildProcess): { stop(): number } {
  let most = 0;
  const look = () => {
    most = Math.max(most, residentMb(pid));
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

/** Of the process itself: `taskset` has become the worker. */
function residentMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
