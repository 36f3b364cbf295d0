/**
 * The usual Node worker: fetch, sharp, onnxruntime-node in batches of 8. Reads image URLs from SQS until
 * the queue is empty, and writes a JSON line an image to S3, a file a message.
 *
 * Its settings come as JSON on the first line of standard input; it says `ready` when the model is warm,
 * waits for a second line, and prints what it took as JSON.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const BATCH = 8;
const IMAGES_IN_FLIGHT = 32;
const SIZE = 224;
const CROP = 224 / 256;
const TOP_K = 5;

const input = createInterface(process.stdin)[Symbol.asyncIterator]();
const settings = JSON.parse((await input.next()).value);
const labels = readFileSync(settings.labels, 'utf8').trimEnd().split('\n');
const clientConfig = {
  endpoint: settings.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: settings.accessKeyId, secretAccessKey: settings.secretAccessKey },
};
const sqs = new SQSClient(clientConfig);
const s3 = new S3Client(clientConfig);
sharp.cache(false);
sharp.concurrency(1);
const session = await ort.InferenceSession.create(settings.onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const [inputName] = session.inputNames;
const [outputName] = session.outputNames;

async function fetchAndDecode({ url }) {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const image = sharp(Buffer.from(await response.arrayBuffer()));
  const { width, height } = await image.metadata();
  const side = Math.round(SIZE / CROP);
  // Resized before it is cropped, so that libjpeg shrinks while it decodes.
  const scale = side / Math.min(width, height);
  return image
    .resize(Math.round(width * scale), Math.round(height * scale), { kernel: 'cubic' })
    .extract({
      left: Math.round((width * scale - SIZE) / 2),
      top: Math.round((height * scale - SIZE) / 2),
      width: SIZE,
      height: SIZE,
    })
    .removeAlpha()
    .raw()
    .toBuffer();
}

async function predict(pictures) {
  const tensor = new ort.Tensor('uint8', Buffer.concat(pictures), [pictures.length, SIZE, SIZE, 3]);
  const { [outputName]: scores } = await session.run({ [inputName]: tensor });
  return pictures.map((_, row) => scores.data.subarray(row * labels.length, (row + 1) * labels.length));
}

function best(scores) {
  const top = [];
  for (let classId = 0; classId < scores.length; classId++) {
    const score = scores[classId];
    if (top.length === TOP_K && score <= top[TOP_K - 1].score) continue;
    top.splice(top.length === TOP_K ? TOP_K - 1 : top.length, 1, { label: labels[classId], score, classId });
    top.sort((one, other) => other.score - one.score);
  }
  return top;
}

/** Fetches and decodes ahead, while earlier images are classified. */
async function workThrough(images) {
  const lines = [];
  const pictures = [];
  let begun = 0;
  const beginMore = (done) => {
    while (begun < images.length && begun < done + IMAGES_IN_FLIGHT) pictures.push(fetchAndDecode(images[begun++]));
  };
  for (let start = 0; start < images.length; start += BATCH) {
    beginMore(start);
    const batch = images.slice(start, start + BATCH);
    const scores = await predict(await Promise.all(pictures.slice(start, start + BATCH)));
    batch.forEach(({ id, url }, row) => {
      lines.push(JSON.stringify({ id, url, labels: best(scores[row]) }));
    });
  }
  return lines;
}

async function run() {
  let classified = 0;
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: settings.queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return classified;
    for (const { Body, MessageId } of Messages) {
      const { images } = JSON.parse(Body);
      const lines = await workThrough(images);
      await s3.send(
        new PutObjectCommand({ Bucket: settings.bucket, Key: `node/${MessageId}.jsonl`, Body: lines.join('\n') }),
      );
      classified += images.length;
    }
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: settings.queue, Entries }));
  }
}

await predict(Array.from({ length: BATCH }, () => Buffer.alloc(SIZE * SIZE * 3)));
process.stdout.write('ready\n');
await input.next();
const started = performance.now();
const images = await run();
process.stdout.write(`${JSON.stringify({ images, seconds: (performance.now() - started) / 1_000 })}\n`);
process.exit();
