import { readFileSync, statSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  LexV2Event,
  LexV2Result,
  SQSRecord,
} from 'aws-lambda';
import sharp from 'sharp';
import { cosine } from '../../../cli/similar/cosine.ts';
import { packageWorker, type WorkerPackage } from '../../../infra/package/package-worker.ts';
import { MAX_UNZIPPED_BYTES } from '../../../infra/package/sizes.ts';
import { decodeImage } from '../../../shared/classifier/decode/decode-image.ts';
import { loadEmbeddingClassifier } from '../../../shared/classifier/infer.ts';
import { readModelFolder } from '../../../shared/classifier/model/model-folder.ts';
import { decodeEmbedding, type Embedding } from '../../../shared/contract/embedding.ts';
import { ImageFailure } from '../../../shared/contract/error-codes.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import {
  makeWritable,
  type PackagedWorker,
  startPackagedWorker,
  unzipPackage,
} from '../../../testkit/lambda/packaged-worker.ts';
import { runtimeClient } from '../../../testkit/lambda/runtime-client.ts';
import { messageRecord } from '../../../testkit/sqs-record.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { DEFAULT_MODEL } from '../../classifier/model-folders.ts';
import { MEANS_MODEL, sha256, sumsOf } from '../../classifier/s3-model.ts';
import { graphFolder, layersFolder, METADATA, teachableMachineFolder } from '../../classifier/tfjs-folders.ts';
import { lexEvent } from '../../functions/chat/lex-events.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** TensorFlow is compressed, its binding and Lambda's runtime client are compiled, unless all are there already. */
const SET_UP_MS = 1_800_000;
/** The package is zipped and hashed again, and each worker unpacks TensorFlow or reads it, on a machine that may be busy. */
jest.setTimeout(300_000);

let folder: TemporaryFolder;
let aws: TestAws;
let images: ImageServer;
let made: WorkerPackage;
let client: string;

const task = () => join(folder.path, 'task');
const temporary = () => join(folder.path, 'tmp');

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('on Linux, which Lambda is too', () => {
  beforeAll(async () => {
    folder = await createTemporaryFolder();
    client = await runtimeClient();
    [aws, images] = await Promise.all([startTestAws(), startImageServer()]);
    made = await packageInto('dist');
    await unzipPackage(made.path, task());
    await mkdir(temporary());
  }, SET_UP_MS);

  afterAll(async () => {
    makeWritable(task());
    await images.close();
    await aws.stop();
    await folder[Symbol.asyncDispose]();
  });

  function packageInto(name: string): Promise<WorkerPackage> {
    const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(folder.path, name) };
    return packageWorker(folders, process.arch === 'arm64' ? 'arm64' : 'x86_64');
  }

  function start(model: Record<string, string> = {}): Promise<PackagedWorker> {
    const environment = { ...aws.environment, ALLOWED_HOSTS: images.host, ...model };
    return startPackagedWorker({ task: task(), temporary: temporary(), runtimeClient: client, environment });
  }

  function record(job: string, photos: readonly string[]): SQSRecord {
    return messageRecord({
      job,
      images: photos.map((photo) => ({ id: photo, url: images.url(`/photos/${photo}`) })),
    });
  }

  async function bestLabels(job: string): Promise<Record<string, string | undefined>> {
    const lines = await aws.results(job);
    return Object.fromEntries(lines.map(({ id, labels }) => [id, labels[0]?.label]));
  }

  test('the package is smaller than Lambda allows', () => {
    const bytes = made.entries.reduce((sum, entry) => sum + entry.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(MAX_UNZIPPED_BYTES);
  });

  test('docs/package.md has its sizes', () => {
    const page = readFileSync(join(ROOT, 'docs/package.md'), 'utf8');
    const documented = (row: string) => Number(new RegExp(`^\\| ${row}.*\\| ([\\d.]+) MB \\|$`, 'm').exec(page)?.[1]);
    // The page gives those of x86_64; libraries for arm64 are of other sizes.
    const tolerance = process.arch === 'x64' ? 0.02 : 0.5;
    for (const [row, prefix] of [
      ['`functions/classify/`', 'functions/'],
      ['`tensorflow/`', 'tensorflow/'],
      ['`node_modules/`', 'node_modules/'],
      ['`models/efficientnet-lite0/`', 'models/'],
      ['all, with', ''],
    ] as const) {
      const entries = made.entries.filter(({ name }) => name.startsWith(prefix));
      const megabytes = entries.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
      expect({ row, isSo: Math.abs(documented(row) / megabytes - 1) < tolerance, megabytes }).toEqual({
        ...{ row, isSo: true, megabytes },
      });
    }
    const zip = Number(/The zip itself has ([\d.]+) MB/.exec(page)?.[1]) * 1e6;
    expect(Math.abs(zip / statSync(made.path).size - 1)).toBeLessThan(tolerance);
  });

  test('packaging again gives the same bytes', async () => {
    const again = await packageInto('dist-again');
    expect(again.sha256).toBe(made.sha256);
    expect(readFileSync(again.path).equals(readFileSync(made.path))).toBe(true);
  });

  test('AWS’s runtime client runs it, and a second invocation is warm', async () => {
    await using worker = await start();
    const first = await worker.invoke({ Records: [record('cold', ['coffee.jpg', 'chelsea.jpg'])] });
    expect(first).toEqual({ batchItemFailures: [] });
    expect(await bestLabels('cold')).toEqual({ 'coffee.jpg': 'espresso', 'chelsea.jpg': expect.stringMatching(/cat/) });

    const second = await worker.invoke({ Records: [record('warm', ['rocket.jpg'])] });
    expect(second).toEqual({ batchItemFailures: [] });
    expect(await bestLabels('warm')).toEqual({ 'rocket.jpg': expect.stringMatching(/missile|rocket|launcher/) });
    expect(worker.log().match(/"ColdStart":1/g)).toHaveLength(1);
  });

  test('a second start uses the unpacked TensorFlow', async () => {
    const unpacked = await readdir(temporary());
    expect(unpacked).toEqual([expect.stringMatching(/^labelqueue-tensorflow-[0-9a-f]{16}$/)]);
    const library = join(temporary(), unpacked[0] ?? '', 'libtensorflow_cc.so.2');
    const before = statSync(library);
    await using worker = await start();
    expect(await worker.invoke({ Records: [record('later', ['coffee.jpg'])] })).toEqual({ batchItemFailures: [] });
    expect(statSync(library)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  test.each([
    ['SavedModel', async () => MEANS_MODEL, { name: 'means', version: '7' }],
    ['layers model', () => filesOf(layersFolder()), { name: 'tiny', version: '3' }],
    ['graph model', () => filesOf(graphFolder({ output: 'means' })), { name: 'tiny', version: '3' }],
    [
      'Teachable Machine export',
      () => filesOf(teachableMachineFolder()),
      { name: METADATA.modelName, version: expect.stringMatching(/^[0-9a-f]{12}$/) },
    ],
  ])('a %s in S3 replaces the one in the package', async (kind, make, model) => {
    const files = await make();
    const bucket = kind.toLowerCase().replaceAll(' ', '-');
    aws.server.setup({ buckets: [bucket] });
    const sums = sumsOf(files);
    for (const [name, Body] of Object.entries({ ...files, SHA256SUMS: Buffer.from(sums) })) {
      await aws.target.s3.send(new PutObjectCommand({ Bucket: bucket, Key: `model/${name}`, Body }));
    }
    await using worker = await start({ MODEL_S3_URI: `s3://${bucket}/model/`, MODEL_SHA256: sha256(sums) });
    expect(await worker.invoke({ Records: [record(bucket, ['coffee.jpg'])] })).toEqual({ batchItemFailures: [] });
    expect(await aws.results(bucket)).toEqual([expect.objectContaining({ model })]);
  });

  test('its embeddings are those of the unpackaged classifier', async () => {
    await using worker = await start({ EMBEDDING: '1' });
    expect(await worker.invoke({ Records: [record('embedded', ['chelsea.jpg', 'coffee.jpg'])] })).toEqual({
      batchItemFailures: [],
    });
    const lines = new Map((await aws.results('embedded')).map((line) => [line.id, line]));
    for (const [photo, expected] of await embeddings(['chelsea.jpg', 'coffee.jpg'])) {
      const line = lines.get(photo);
      expect(Buffer.from(line?.embedding ?? '', 'base64')).toHaveLength(1_280 * 2);
      expect(line?.trunk).toBe(expected.trunk);
      const [values, right] = [line, expected].map((one) => decodeEmbedding(one?.embedding) ?? new Float32Array(1_280));
      // Rounding differs with the images that are classified together; another photo has 0.2.
      expect(cosine(values as Float32Array, right as Float32Array)).toBeGreaterThan(0.9999);
    }
  });

  test('an expensive image is decoded by the package’s separate decoder process', async () => {
    const large = sharp({ create: { width: 4_000, height: 4_000, channels: 3, background: '#204060' } });
    aws.server.setup({ buckets: ['large'] });
    const Body = await large.avif({ effort: 0 }).toBuffer();
    await aws.target.s3.send(new PutObjectCommand({ Bucket: 'large', Key: 'large.avif', Body }));
    await using worker = await start({ SOURCE_BUCKETS: 'large' });
    const message = messageRecord({ job: 'large', images: [{ id: 'large', url: 's3://large/large.avif' }] });
    expect(await worker.invoke({ Records: [message] })).toEqual({ batchItemFailures: [] });
    // A busy machine may take longer than an image is given: then the failure is what there is to see.
    expect({ results: await aws.results('large'), failures: await aws.failures('large') }).toEqual({
      results: [
        expect.objectContaining({ image: expect.objectContaining({ width: 4_000, height: 4_000, format: 'avif' }) }),
      ],
      failures: [],
    });
  });

  test('its other handler answers the HTTP API', async () => {
    await using api = await startPackagedWorker<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({
      task: task(),
      temporary: temporary(),
      runtimeClient: client,
      handler: 'api.handler',
      environment: { ...aws.environment, ALLOWED_HOSTS: images.host },
    });
    const query = new URLSearchParams({ url: images.url('/photos/coffee.jpg'), top: '1' });
    const { statusCode, headers, body = '' } = await api.invoke(httpEvent('GET', '/classify', query));
    expect({ statusCode, type: headers?.['content-type'] }).toEqual({ statusCode: 200, type: 'application/json' });
    expect(JSON.parse(body)).toMatchObject({
      return: expect.stringMatching(/^espresso \(score = 0\.95\d{3}\)$/),
      labels: [{ label: 'espresso' }],
      model: { name: 'efficientnet-lite0' },
    });
    const document = await api.invoke(httpEvent('GET', '/openapi.json'));
    expect(JSON.parse(document.body ?? '')).toMatchObject({ openapi: '3.1.0' });
  });

  test('its third handler answers the chatbot', async () => {
    await using chat = await startPackagedWorker<LexV2Event, LexV2Result>({
      task: task(),
      temporary: temporary(),
      runtimeClient: client,
      handler: 'chat.handler',
      environment: { AWS_ENDPOINT_URL: aws.environment.AWS_ENDPOINT_URL, ALLOWED_HOSTS: images.host },
    });
    const said = `what is this ${images.url('/photos/coffee.jpg')}`;
    const { messages } = await chat.invoke(lexEvent({ said, source: 'FulfillmentCodeHook' }));
    expect(messages).toEqual([
      { contentType: 'PlainText', content: expect.stringMatching(/^This looks like espresso/) },
    ]);
  });
  /** The files of a folder, which goes. */
  async function filesOf(made: Promise<TemporaryFolder>): Promise<Record<string, Buffer>> {
    await using model = await made;
    const names = await readdir(model.path);
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(model.path, name))]));
  }

  test('an image that was in a crashed worker is classified by the package’s isolated process', async () => {
    await using worker = await start();
    const again = record('suspect', ['coffee.jpg']);
    again.attributes.ApproximateReceiveCount = '2';
    expect(await worker.invoke({ Records: [again] })).toEqual({ batchItemFailures: [] });
    expect(await bestLabels('suspect')).toEqual({ 'coffee.jpg': 'espresso' });
  });
});

/** The embeddings of photos by the classifier of this checkout. */
async function embeddings(photos: readonly string[]): Promise<Map<string, Embedding>> {
  const model = await readModelFolder(DEFAULT_MODEL);
  const classifier = await loadEmbeddingClassifier(model, 'auto');
  const pixels = photos.map(async (photo) => {
    const decoded = await decodeImage(readFileSync(join(ROOT, 'samples/photos', photo)), model.config);
    if (decoded instanceof ImageFailure) throw decoded;
    return decoded.pixels;
  });
  const answers = classifier.embed?.(await Promise.all(pixels), 1) ?? [];
  classifier.dispose();
  return new Map(answers.map(({ embedding }, place) => [photos[place] as string, embedding]));
}

/** What API Gateway sends for a request without a body, as far as it matters. */
function httpEvent(method: string, rawPath: string, query = new URLSearchParams()): APIGatewayProxyEventV2 {
  const http = { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
  return {
    version: '2.0',
    routeKey: `${method} ${rawPath}`,
    rawPath,
    rawQueryString: query.toString(),
    headers: {},
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      domainName: 'test.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'test',
      http,
      requestId: 'request',
      routeKey: `${method} ${rawPath}`,
      stage: '$default',
      time: '24/Nov/2026:07:41:02 +0000',
      timeEpoch: 1_795_506_062_000,
    },
    isBase64Encoded: false,
  };
}
