/** Commands that read embeddings, of the default model. */
import { join } from 'node:path';
import { readModelFolder } from '../../../shared/classifier/model/model-folder.ts';
import { readTrunk } from '../../../shared/classifier/model/trunk.ts';
import { largeJobCommand } from '../large-job-command.ts';
import type { ClientRow } from '../row.ts';

const ROOT = join(import.meta.dirname, '../../..');
const IMAGES_PER_PART = 500;
/** 3.8 GB of part files: more are only more of the same. */
const SIZES = [10_000, 100_000, 1_000_000];

export const rows: ClientRow[] = [
  row('relabel JOB --out', (folder) => ['relabel', 'large', '--out', `${folder}/large.parquet`]),
  row('relabel JOB --job', () => ['relabel', 'large', '--job', 'new']),
  row('similar JOB FILE', () => ['similar', 'large', join(ROOT, 'samples/photos/coffee.jpg')]),
  // Half of the job is read before it is found.
  row('similar JOB ID', (_, parts) => ['similar', 'large', `results-${parts / 2}-0`]),
];

function row(name: string, argsOf: (folder: string, parts: number) => string[]): ClientRow {
  return {
    ...{ name, unit: 'images', sizes: SIZES },
    async prepare({ size, latencyMs }) {
      const parts = size / IMAGES_PER_PART;
      const trunk = await readTrunk(await readModelFolder(join(ROOT, 'models/efficientnet-lite0')));
      const changed = { results: parts, failures: 0, linesPerPart: IMAGES_PER_PART, trunk };
      return largeJobCommand({ size: parts, latencyMs }, (folder) => argsOf(folder, parts), changed);
    },
  };
}
