import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { type CommandRun, runCommand } from '../../support/command.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

/** Three materials, twenty photos of each. */
export const MATERIALS = join(import.meta.dirname, '../../../samples/teach');
export const LABELS = ['brick', 'grass', 'gravel'];

export type TeachTests = {
  folder: TemporaryFolder;
  /** Serves the photos of `MATERIALS` below `/material`. */
  images: ImageServer;
  /** The path of a name in the folder of the tests. */
  at(name: string): string;
  /** Runs `labelqueue model teach`; the model is written to `at(out)`. */
  teach(from: string, out: string, ...options: string[]): Promise<CommandRun>;
};

/** What the tests of `labelqueue model teach` share. For the top of a file. */
export async function teachTests(): Promise<TeachTests> {
  // TensorFlow looks at hundreds of views, on a machine that may be busy.
  jest.setTimeout(180_000);
  const [folder, images] = await sharedByTests(
    createTemporaryFolder(),
    startImageServer('127.0.0.1', {
      material: async ({ response, rest }) => void response.end(await readFile(join(MATERIALS, ...rest))),
    }),
  );
  const at = (name: string) => join(folder.path, name);
  return {
    folder,
    images,
    at,
    teach: (from, out, ...options) => runCommand(['model', 'teach', from, '--out', at(out), ...options]),
  };
}
