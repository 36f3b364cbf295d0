/** `npm run bench:models -- FOLDER…`: how fast model folders are, side by side. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { chooseModel } from '../shared/classifier/model/int8-model.ts';
import { readModelFolder } from '../shared/classifier/model/model-folder.ts';
import { type OpenModel, openModel } from '../shared/classifier/model/open-model.ts';
import { spreadOf } from './statistics.ts';

const BATCHES = [1, 8];

const command = new Command('bench:models')
  .description('Runs the models of several folders in turns, so that whatever else the machine does slows all of them.')
  .argument('<folder...>', 'model folders, see docs/models.md')
  .option('--runs <n>', 'of each model at each batch size', Number, 40)
  .parse();
const { runs } = command.opts<{ runs: number }>();

const names: string[] = [];
const models: OpenModel[] = [];
for (const folder of command.args) {
  const inFloats = await readModelFolder(resolve(folder));
  names.push(folder);
  models.push(await openModel(inFloats));
  if (inFloats.config.int8 === undefined) continue;
  names.push(`${folder}, int8`);
  // Whether it is right on this processor makes no difference to its speed.
  models.push(await openModel(chooseModel(inFloats, 'auto', 'exact').folder));
}

process.stdout.write('| model | batch | ms an image, least | median |\n|---|---|---|---|\n');
for (const batch of BATCHES) {
  const times = models.map((): number[] => []);
  // One that is not counted, for TensorFlow's graph optimizations.
  for (let run = 0; run <= runs; run++) {
    models.forEach((model, index) => {
      const time = timeOf(model, batch);
      if (run > 0) times[index]?.push(time);
    });
  }
  models.forEach((_, index) => {
    const { least, median } = spreadOf(times[index] ?? []);
    process.stdout.write(`| ${names[index]} | ${batch} | ${least.toFixed(1)} | ${median.toFixed(1)} |\n`);
  });
}
for (const model of models) model.dispose();

/** Milliseconds an image. */
function timeOf({ scores, folder }: OpenModel, batch: number): number {
  const { inputSize } = folder.config;
  const images = Array.from({ length: batch }, () => new Uint8Array(inputSize ** 2 * 3).fill(127));
  const started = performance.now();
  scores(images);
  return (performance.now() - started) / batch;
}
