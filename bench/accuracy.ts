/** `npm run bench:accuracy`: how often each precision of a model is right, and how often as its floats are. */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../cli/options.ts';
import { startProgress } from '../cli/terminal/progress.ts';
import { failureText } from '../cli/terminal/user-errors.ts';
import { DEFAULT_MODEL_DIR, readModelFolder } from '../shared/classifier/model/model-folder.ts';
import { readLabelList } from './accuracy/label-list.ts';
import { measureAccuracy } from './accuracy/measure-accuracy.ts';
import { accuracyTable } from './accuracy/tally.ts';
import { prepareAvx2Only } from './avx2/avx2-only.ts';

type Options = { images: string; labels: string; model: string; most?: number; avx2?: true; json?: true };

const options = new Command('bench:accuracy')
  .description(
    'Top-1, top-5 and agreement with floats for each precision of a model, e.g. with ImageNet or ImageNet-V2.',
  )
  .requiredOption('--images <folder>', 'where the images are')
  .requiredOption(
    '--labels <file>',
    'lines of a file in that folder and its class: a number from 0 on or a label, several right ones with | between',
  )
  .option(
    '--model <folder>',
    'a model folder, see docs/models.md; the folders in it are its precisions',
    DEFAULT_MODEL_DIR,
  )
  .option('--most <n>', 'only the first so many images', wholeNumber(1, 10_000_000))
  .option('--avx2', 'under AVX2')
  .option('--json', 'one JSON document instead of text')
  .allowExcessArguments(false)
  .parse()
  .opts<Options>();

process.exitCode = await (options.avx2 ? underAvx2() : measure(options)).catch((error: unknown) => {
  process.stderr.write(`bench:accuracy: ${failureText(error)}\n`);
  return 1;
});

async function measure({ images: folder, labels, model, most, json }: Options): Promise<number> {
  const read = await readModelFolder(resolve(model), model === DEFAULT_MODEL_DIR);
  const images = (await readLabelList(labels, read.labels)).slice(0, most);
  const progress = startProgress('classified', images.length);
  const run = await measureAccuracy(read, images, { folder, onProgress: progress.update }).finally(progress.stop);
  if (json) {
    process.stdout.write(`${JSON.stringify({ processor: cpus()[0]?.model, ...run })}\n`);
    return 0;
  }
  process.stdout.write(accuracyTable(run.accuracy));
  for (const { name, reason } of run.notRun) process.stderr.write(`${name} does not run here: ${reason}\n`);
  const [first] = run.leftOut;
  if (first !== undefined) {
    process.stderr.write(`${run.leftOut.length} images were left out, the first: ${first.file}: ${first.reason}\n`);
  }
  return 0;
}

/** The same command again, in a process that sees AVX2 alone. */
async function underAvx2(): Promise<number> {
  const prepared = await prepareAvx2Only(join(import.meta.dirname, '../.labelqueue/bench'), []);
  if ('reason' in prepared) {
    process.stderr.write(`bench:accuracy: --avx2 cannot be had: ${prepared.reason}\n`);
    return 1;
  }
  const rest = process.argv.slice(1).filter((argument) => argument !== '--avx2');
  const env = { ...process.env, TF_ENABLE_ONEDNN_OPTS: '1', ...prepared.environment };
  return spawnSync(process.execPath, rest, { env, stdio: 'inherit' }).status ?? 1;
}
