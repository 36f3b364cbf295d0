import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtEnd } from './interruption.ts';

/** A temporary folder that is removed with its owner, also when a signal ends the command. */
export type WorkFolder = Disposable & { path: string };

export async function createWorkFolder(): Promise<WorkFolder> {
  const path = await mkdtemp(join(tmpdir(), 'labelqueue-'));
  const remove = () => rmSync(path, { recursive: true, force: true });
  const forget = cleanUpAtEnd(remove);
  return {
    path,
    [Symbol.dispose]() {
      forget();
      remove();
    },
  };
}
