/**
 * Run in a process of its own, pinned to one core: the stages of the pipeline, each alone. Its argument is
 * the host of the photo server; AWS is where the environment says. Prints a line of JSON.
 */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { decodeImage } from '../../shared/classifier/decode/decode-image.ts';
import { fetchImage } from '../../shared/classifier/fetch/fetch-image.ts';
import { createHttpClient } from '../../shared/classifier/fetch/http-client.ts';
import { createObjectReader } from '../../shared/classifier/fetch/read-s3-object.ts';
import { type Classifier, loadClassifier } from '../../shared/classifier/infer.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { INFERENCE_BATCH_SIZE } from '../../shared/contract/limits.ts';
import { type ResultLine, resultLine } from '../../shared/contract/result-line.ts';
import { withConcurrency } from '../with-concurrency.ts';
import { BASELINE, KINDS, type Kind, picturesOf } from './pictures.ts';

/** Milliseconds an image, on one core. */
export type Stages = {
  decode: Record<Kind, number>;
  /** By images a batch. */
  inference: Record<number, number>;
  fetch: number;
  /** JSON and one PUT for 100 lines. */
  write: number;
};

const MODEL = `${import.meta.dirname}/../../models/efficientnet-lite0`;
const BATCHES = [1, 2, 4, INFERENCE_BATCH_SIZE, 16, 32];
const LINES = 100;
/** As many at once as keep a core busy. */
const AT_ONCE = 8;

const [, , host = ''] = process.argv;
const s3 = new S3Client({});
const classifier = await loadClassifier(await readModelFolder(MODEL), 'auto');
const http = createHttpClient([host]);
const sources = { http, s3: createObjectReader(s3, []) };

const stages: Stages = { decode: {} as Stages['decode'], inference: {}, fetch: 0, write: 0 };
for (const kind of Object.keys(KINDS) as Kind[]) {
  const pictures = await picturesOf(kind);
  const times = kind === '4000x3000 JPEG' ? 40 : 200;
  stages.decode[kind] = await millisecondsEach(times, async (number) => {
    await decodeImage(pictures[number % pictures.length] as Buffer, classifier.format);
  });
}
for (const size of BATCHES) stages.inference[size] = await inferenceTime(classifier, size);
const url = `http://${host}/${encodeURIComponent(BASELINE)}`;
stages.fetch = await millisecondsEach(400, async (number) => {
  await fetchImage(`${url}/${number}`, sources, new AbortController().signal, { timeoutMs: 10_000 });
});
stages.write = (await millisecondsEach(20, (number) => writeLines(number))) / LINES;
process.stdout.write(`${JSON.stringify(stages)}\n`);
await http.close();

/** The mean of so many, some of them at once, after a warm-up of a quarter as many. */
async function millisecondsEach(times: number, work: (number: number) => Promise<void>): Promise<number> {
  await withConcurrency(times / 4, AT_ONCE, work);
  const started = performance.now();
  await withConcurrency(times, AT_ONCE, work);
  return (performance.now() - started) / times;
}

async function inferenceTime({ infer, format }: Classifier, size: number): Promise<number> {
  const picture = new Uint8Array(format.inputSize ** 2 * 3).fill(127);
  const batch = Array.from({ length: size }, () => picture);
  const perBatch = await millisecondsEach(Math.ceil(160 / size), async () => void infer(batch, 5));
  return perBatch / size;
}

async function writeLines(number: number): Promise<void> {
  const lines = Array.from({ length: LINES }, (_, index) => JSON.stringify(line(`${number}-${index}`)));
  const Key = `bench/${number}.jsonl`;
  await s3.send(new PutObjectCommand({ Bucket: process.env['RESULTS_BUCKET'], Key, Body: lines.join('\n') }));
}

function line(id: string): ResultLine {
  const labels = Array.from({ length: 5 }, (_, classId) => ({ label: `label ${classId}`, score: 0.2, classId }));
  const image = { width: 640, height: 427, format: 'jpeg', bytes: 60_000, sha256: '0'.repeat(64) } as const;
  const origin = { job: 'bench', image: { id, url: `http://host/${id}` }, attempt: 1, at: new Date() };
  return resultLine(origin, labels, classifier.id, image);
}
