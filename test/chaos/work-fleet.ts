import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AwsAccess } from '../../testkit/aws-process.ts';
import { childrenOf, residentMb } from '../../testkit/process-tree.ts';

const MAIN = join(import.meta.dirname, '../../worker/main.ts');
const LOOPS = 2;
const PROCESSES = 2;
const DRAIN_SECONDS = 15;
const LOOK_MS = 500;

export type WorkFleetOptions = {
  aws: Pick<AwsAccess, 'environment'>;
  /** Of the fault proxy. */
  endpoint: string;
  environment: Record<string, string>;
  onLog: (text: string) => void;
};

/** Several `labelqueue work`, each of which is started again when it has ended, as systemd does. */
export type WorkFleet = AsyncDisposable & {
  /** Ids of the loops that run. */
  loops(): number[];
  /** Ids of the processes that classify, of all loops. */
  processes(): number[];
  /** Sends SIGTERM to a loop, which must end with 0 then. */
  terminate(pid: number): void;
  readonly maxRssMb: number;
  /** Loops that did not end with 0 after SIGTERM. */
  readonly unclean: number;
};

export function startWorkFleet({ aws, endpoint, environment, onLog }: WorkFleetOptions): WorkFleet {
  const running = new Set<ChildProcess>();
  /** Those that may hold messages: before, SIGTERM ends a process as it ends any other. */
  const started = new Set<ChildProcess>();
  const terminated = new Set<number | undefined>();
  let isOver = false;
  let maxRssMb = 0;
  let unclean = 0;
  const start = () => {
    const loop = spawn(process.execPath, ['--no-warnings', MAIN], {
      env: {
        ...process.env,
        ...aws.environment,
        AWS_ENDPOINT_URL: endpoint,
        WORK_PROCESSES: String(PROCESSES),
        WORK_DRAIN_SECONDS: String(DRAIN_SECONDS),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(loop);
    for (const output of [loop.stdout, loop.stderr]) output.setEncoding('utf8').on('data', onLog);
    loop.stdout.on('data', (text: string) => {
      if (text.includes('"work started"')) started.add(loop);
    });
    loop.once('exit', (code, signal) => {
      running.delete(loop);
      if (started.has(loop) && terminated.has(loop.pid) && code !== 0 && signal !== 'SIGKILL') unclean++;
      onLog(`${JSON.stringify({ at: new Date(), loop: loop.pid, ended: signal ?? code })}\n`);
      if (!isOver) start();
    });
  };
  for (let index = 0; index < LOOPS; index++) start();
  const loops = () => [...running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  const processes = () => loops().flatMap(childrenOf);
  const looking = setInterval(() => {
    for (const pid of processes()) maxRssMb = Math.max(maxRssMb, residentMb(pid));
  }, LOOK_MS);
  const terminate = (pid: number) => {
    terminated.add(pid);
    process.kill(pid, 'SIGTERM');
  };
  return {
    loops,
    processes,
    terminate,
    get maxRssMb() {
      return maxRssMb;
    },
    get unclean() {
      return unclean;
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      clearInterval(looking);
      const ended = [...running].map((loop) => once(loop, 'exit'));
      for (const pid of loops()) {
        process.kill(pid, 'SIGCONT');
        terminate(pid);
      }
      await Promise.all(ended);
    },
  };
}
