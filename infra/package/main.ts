/**
 * `npm run package [-- --architecture arm64] [--node]`: makes dist/classify.zip, the worker as AWS Lambda takes it, or
 * dist/classify-arm64.zip; and what a fleet on EC2 needs beside it.
 */
import { join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { visibleText } from '../../shared/contract/visible-text.ts';
import { ARCHITECTURES, type Architecture } from '../../shared/contract/worker-time.ts';
import { fileFailureText } from '../../shared/runtime/file-failure.ts';
import { PackageError } from './package-error.ts';
import { packageNode } from './package-node.ts';
import { packageWorker } from './package-worker.ts';
import { sizesText } from './sizes.ts';

const ROOT = join(import.meta.dirname, '../..');

const { architecture, node } = new Command('package')
  .description('Makes the worker as a zip for AWS Lambda.')
  .addOption(
    new Option('--architecture <name>', 'processors that it is for').choices(ARCHITECTURES).default(ARCHITECTURES[0]),
  )
  .option('--node', 'also make the zip with Node, for a fleet on EC2', false)
  .configureOutput({ writeErr: (text) => process.stderr.write(visibleText(text)) })
  .parse()
  .opts<{ architecture: Architecture; node: boolean }>();

try {
  const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(ROOT, 'dist') };
  const made = await packageWorker(folders, architecture);
  process.stdout.write(visibleText(sizesText(made, ROOT)));
  if (node) {
    const { path, sha256 } = await packageNode(folders, architecture);
    process.stdout.write(visibleText(`sha256 ${sha256}  ${relative(ROOT, path)}\n`));
  }
} catch (error) {
  const text = error instanceof PackageError ? error.message : fileFailureText(error);
  if (text === undefined) throw error;
  process.stderr.write(visibleText(`package: ${text}\n`));
  process.exitCode = 1;
}
