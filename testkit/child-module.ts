import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A module that runs in a process of its own, and what it reported once it was ready. */
export type ChildModule<Report> = AsyncDisposable & { report: Report };

/**
 * Starts a module that calls `reportReady`.
 *
 * @throws when it ends before that
 */
export async function startChildModule<Report>(module: URL, ...args: string[]): Promise<ChildModule<Report>> {
  const child = fork(module, args, {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Ctrl-C reaches the parent alone, whose end is theirs.
    detached: true,
  });
  const exited = once(child, 'exit').then(([code]) => new Error(`${module.pathname} ended with exit code ${code}`));
  const [report] = await Promise.race([once(child, 'message'), exited.then((error) => Promise.reject(error))]);
  return {
    report: report as Report,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** For the module itself: it ends when its parent has no more use for it, or is gone. */
export function reportReady(report: object): void {
  process.once('disconnect', () => process.exit(0));
  process.send?.(report);
}
