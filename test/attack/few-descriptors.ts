import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Set in the process that has its limit. */
const LIMITED = 'LABELQUEUE_ATTACK_LIMITED';

/**
 * Does something, and ends with the exit code that it returns, in a process that may open so many files, as may all that
 * it starts. Node cannot limit itself: this program is started once more, by a shell that can.
 */
export async function withFewDescriptors(limit: number, work: () => Promise<number>): Promise<void> {
  if (process.env[LIMITED] !== undefined) {
    process.exitCode = await work();
    return;
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const limited = spawn('sh', ['-c', 'ulimit -n "$0" && exec "$@"', String(limit), ...command], {
    stdio: 'inherit',
    env: { ...process.env, [LIMITED]: '1' },
  });
  const [code] = await once(limited, 'exit');
  process.exitCode = code ?? 1;
}
