import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ofFile } from '../../shared/runtime/file-failure.ts';

/** A file that is written line by line, by many writers at once. */
export type LineFile = {
  /** Resolves when the file takes more; rejects, as `end` does, when it cannot be written. */
  write(line: string): Promise<void>;
  end(): Promise<void>;
};

/** Creates or empties the file. */
export function openLineFile(path: string): LineFile {
  const file = createWriteStream(path);
  const written = finished(file).catch(ofFile(path));
  // Awaited by the writers.
  written.catch(() => undefined);
  // One for all that wait.
  let drained: Promise<void> | undefined;
  const drain = async () => {
    await Promise.race([new Promise<void>((resolve) => file.once('drain', resolve)), written]);
    drained = undefined;
  };
  return {
    async write(line) {
      if (file.write(`${line}\n`)) return;
      drained ??= drain();
      await drained;
    },
    async end() {
      file.end();
      await written;
    },
  };
}
