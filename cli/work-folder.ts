import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder that goes with its owner, also when a signal ends the process. */
export type WorkFolder = Disposable & { path: string };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function createWorkFolder(): Promise<WorkFolder> {
  const path = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  const remove = () => rmSync(path, { recursive: true, force: true });
  const end = (signal: (typeof SIGNALS)[number]) => {
    remove();
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  return {
    path,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, end);
      remove();
    },
  };
}
