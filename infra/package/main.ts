/** `npm run package`: makes dist/classify.zip, the worker as AWS Lambda takes it. */
import { join } from 'node:path';
import { fileFailureText } from '../../shared/contract/file-failure.ts';
import { visibleText } from '../../shared/contract/visible-text.ts';
import { PackageError } from './package-error.ts';
import { packageWorker } from './package-worker.ts';
import { sizesText } from './sizes.ts';

const ROOT = join(import.meta.dirname, '../..');

try {
  const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(ROOT, 'dist') };
  const made = await packageWorker(folders, 'lambda');
  process.stdout.write(visibleText(sizesText(made, ROOT)));
} catch (error) {
  const text = error instanceof PackageError ? error.message : fileFailureText(error);
  if (text === undefined) throw error;
  process.stderr.write(visibleText(`package: ${text}\n`));
  process.exitCode = 1;
}
