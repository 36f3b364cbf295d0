import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for one test, which is removed when it is disposed of. */
export type TemporaryFolder = AsyncDisposable & {
  path: string;
  /** Writes a file into it. @returns its path */
  write(name: string, content: string | Buffer | Iterable<string>): Promise<string>;
};

export async function createTemporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'labelqueue-test-'));
  return {
    path,
    async write(name, content) {
      const file = join(path, name);
      await writeFile(file, content);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
