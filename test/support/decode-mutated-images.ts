/**
 * Decodes mutated images, one after the other: `decode-mutated-images.ts <seed> <from> <to>`. A
 * process of its own, since a native decoder that fails may take its process with it. Writes the
 * number of each image before it is decoded, and at the end what came of them.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { ImageFailure } from '../../shared/contract/error-codes.ts';
import { mutatedImage, readOriginals } from './mutated-images.ts';

/** How many images came to which end, and what they cost. */
export type DecodeReport = {
  decoded: number;
  refused: Record<string, number>;
  slowest: { image: number; milliseconds: number };
  /** Resident memory in MB after each tenth of the images. */
  residentMb: number[];
};

/** As the default model wants them. */
const FORMAT = { inputSize: 224, crop: 0.875, interpolation: 'cubic' } as const;

const [seed = 0, from = 0, to = 0] = process.argv.slice(2).map(Number);
const originals = await readOriginals();
const report: DecodeReport = { decoded: 0, refused: {}, slowest: { image: -1, milliseconds: 0 }, residentMb: [] };
for (let image = from; image < to; image++) {
  // Not `process.stdout`, whose writes are lost when the process dies.
  writeSync(1, `${image}\n`);
  await decodeOne(image);
  if ((image + 1 - from) % Math.ceil((to - from) / 10) === 0) report.residentMb.push(await residentMb());
}
writeSync(1, `${JSON.stringify(report)}\n`);

async function decodeOne(image: number): Promise<void> {
  const bytes = mutatedImage(originals, seed, image);
  const started = performance.now();
  const outcome = await decodeImage(bytes, FORMAT);
  const milliseconds = performance.now() - started;
  if (milliseconds > report.slowest.milliseconds) report.slowest = { image, milliseconds };
  if (outcome instanceof ImageFailure) {
    report.refused[outcome.code] = (report.refused[outcome.code] ?? 0) + 1;
    return;
  }
  const { pixels } = outcome;
  if (pixels.length !== FORMAT.inputSize ** 2 * 3) throw new Error(`expected a picture, got ${pixels.length} bytes`);
  report.decoded++;
}

/** Once what is garbage has been collected. */
async function residentMb(): Promise<number> {
  globalThis.gc?.();
  await delay(20);
  return Math.round(process.memoryUsage.rss() / 1e6);
}
