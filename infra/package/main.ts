/**
 * `npm run package [-- --architecture arm64]`: makes dist/classify.zip, the worker as AWS Lambda takes it, or
 * dist/classify-arm64.zip.
 */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { fileFailureText } from '../../shared/contract/file-failure.ts';
import { visibleText } from '../../shared/contract/visible-text.ts';
import { ARCHITECTURES, type Architecture } from '../../shared/contract/worker-time.ts';
import { PackageError } from './package-error.ts';
import { packageWorker } from './package-worker.ts';
import { sizesText } from './sizes.ts';

const ROOT = join(import.meta.dirname, '../..');

const { architecture } = new Command('package')
  .description('Makes the worker as a zip for AWS Lambda.')
  .addOption(
    new Option('--architecture <name>', 'processors that it is for').choices(ARCHITECTURES).default(ARCHITECTURES[0]),
  )
  .configureOutput({ writeErr: (text) => process.stderr.write(visibleText(text)) })
  .parse()
  .opts<{ architecture: Architecture }>();

try {
  const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(ROOT, 'dist') };
  const made = await packageWorker(folders, architecture);
  process.stdout.write(visibleText(sizesText(made, ROOT)));
} catch (error) {
  const text = error instanceof PackageError ? error.message : fileFailureText(error);
  if (text === undefined) throw error;
  process.stderr.write(visibleText(`package: ${text}\n`));
  process.exitCode = 1;
}
