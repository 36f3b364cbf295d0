import { constants, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const DEFAULT_MODEL = join(import.meta.dirname, '../../models/efficientnet-lite0');

/** What a test changes in a copy of the default model's folder; a file that is null is not there. */
export type Change = { config?: Record<string, unknown>; files?: Record<string, string | Buffer | null> };

/** A copy of the default model's folder with changes and without its int8 model, gone when the test is over. */
export async function changedModel(change: Change): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'labelqueue-model-'));
  const { default: config } = await import('../../models/efficientnet-lite0/classifier.json', {
    with: { type: 'json' },
  });
  await writeFile(
    join(path, 'classifier.json'),
    JSON.stringify({ ...config, int8: undefined, int8For: undefined, ...change.config }),
  );
  await cp(join(DEFAULT_MODEL, 'labels.txt'), join(path, 'labels.txt'));
  // A link would lead out of the folder, which is refused.
  if (change.files?.['saved_model.pb'] === undefined) {
    await cp(join(DEFAULT_MODEL, 'saved_model.pb'), join(path, 'saved_model.pb'), { mode: constants.COPYFILE_FICLONE });
  }
  for (const [file, content] of Object.entries(change.files ?? {})) {
    await rm(join(path, file), { force: true });
    if (content === null) continue;
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), content);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
