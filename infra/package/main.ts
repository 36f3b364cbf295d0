/** `npm run package`: makes dist/classify.zip, the worker as AWS Lambda takes it. */
import { join } from 'node:path';
import { PackageError } from './package-error.ts';
import { packageWorker } from './package-worker.ts';
import { sizesText } from './sizes.ts';

const ROOT = join(import.meta.dirname, '../..');

try {
  const made = await packageWorker({ root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(ROOT, 'dist') });
  process.stdout.write(sizesText(made, ROOT));
} catch (error) {
  if (!(error instanceof PackageError)) throw error;
  process.stderr.write(`package: ${error.message}\n`);
  process.exitCode = 1;
}
