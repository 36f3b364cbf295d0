import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readElf, versionsNeeded } from '../../../infra/package/elf/read-elf.ts';
import { packageWorker, type WorkerPackage } from '../../../infra/package/package-worker.ts';
import { newerThanLambda } from '../../../infra/package/runs-on-lambda.ts';
import { MAX_UNZIPPED_BYTES } from '../../../infra/package/sizes.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { makeWritable, unzipPackage } from '../../../testkit/lambda/packaged-worker.ts';
import { messageRecord } from '../../../testkit/sqs-record.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { findArm64Emulator, invokeOnArm64 } from '../../support/lambda/emulated-arm64.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Compiler, TensorFlow and sharp for arm64 are fetched, and TensorFlow is compressed, unless that was done before. */
const SET_UP_MS = 1_800_000;
/** A processor that is emulated takes some fifty times as long. */
const EMULATED_MS = 900_000;

const emulator = findArm64Emulator();
const testEmulated = 'missing' in emulator ? test.skip : test;
const leftOut = 'missing' in emulator ? ` (left out: ${emulator.missing})` : '';

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('the package for arm64', () => {
  let folder: TemporaryFolder;
  let made: WorkerPackage;
  const task = () => join(folder.path, 'task');

  beforeAll(async () => {
    folder = await createTemporaryFolder();
    const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(folder.path, 'dist') };
    made = await packageWorker(folders, 'arm64');
    // What it was made of, other tests make again.
    await unzipPackage(made.path, task());
  }, SET_UP_MS);

  afterAll(async () => {
    if (existsSync(task())) makeWritable(task());
    await folder[Symbol.asyncDispose]();
  });

  test('has its own name, and is smaller than Lambda allows', () => {
    expect([made.path, made.sbomPath].map((path) => basename(path))).toEqual([
      'classify-arm64.zip',
      'classify-arm64.cdx.json',
    ]);
    expect(made.entries.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(MAX_UNZIPPED_BYTES);
  });

  test(
    'contains native code only of arm64, which Lambda’s system can load',
    async () => {
      const native = [];
      for (const { name } of made.entries) native.push(...(await nativeCode(task(), name, folder.path)));
      expect(native.map(({ name }) => name)).toEqual([
        expect.stringMatching(/^node_modules\/@img\/sharp-libvips-linux-arm64\/lib\/libvips-cpp\.so/),
        expect.stringMatching(/^node_modules\/@img\/sharp-linux-arm64\/lib\/sharp-linux-arm64.*\.node$/),
        expect.stringMatching(/^tensorflow\/lib.*\.zst$/),
        'tensorflow/libtensorflow_cc.so.2.zst',
        'tensorflow/libtensorflow_framework.so.2.zst',
        'tensorflow/tfjs_binding.node',
      ]);
      for (const { architecture, tooNew } of native) {
        expect({ architecture, tooNew }).toEqual({ architecture: 'arm64', tooNew: [] });
      }
    },
    SET_UP_MS,
  );

  test('names the third-party library that TensorFlow includes there', async () => {
    const { components } = JSON.parse(await readFile(made.sbomPath, 'utf8'));
    const [tensorflow] = components.filter(({ name }: { name: string }) => name === 'libtensorflow');
    expect(tensorflow.purl).toBe('pkg:pypi/tensorflow@2.18.1');
    expect(tensorflow.components).toEqual([expect.objectContaining({ name: 'libomp' })]);
  });

  testEmulated(
    `labels a photo on an emulated Graviton2, without the files that Lambda’s arm64 lacks${leftOut}`,
    async () => {
      const temporary = join(folder.path, 'tmp');
      await using images = await startImageServer();
      await using aws = await startTestAws();
      await mkdir(temporary);
      const photo = { id: 'coffee', url: images.url('/photos/coffee.jpg') };
      const invocation = await invokeOnArm64(emulator, {
        module: join(task(), 'index.mjs'),
        event: { Records: [messageRecord({ job: 'arm64', images: [photo] })] },
        environment: { ...aws.environment, ALLOWED_HOSTS: images.host, TMPDIR: temporary },
        folder: folder.path,
      });
      expect(invocation).toMatchObject({
        response: { batchItemFailures: [] },
        processor: 'arm64',
        processorList: 'ENOENT',
      });
      expect(await aws.failures('arm64')).toEqual([]);
      const lines = await aws.results('arm64');
      expect(lines.map(({ id, labels }) => ({ id, label: labels[0]?.label }))).toEqual([
        { id: 'coffee', label: 'espresso' },
      ]);
    },
    EMULATED_MS,
  );
});

/** What Lambda's loader has to take of a file; nothing of one that is not native code. */
async function nativeCode(unzipped: string, name: string, folder: string) {
  const from = join(unzipped, name);
  const library = name.endsWith('.zst') ? join(folder, basename(name, '.zst')) : from;
  if (library !== from) await pipeline(createReadStream(from), createZstdDecompress(), createWriteStream(library));
  await using file = await open(library);
  const elf = await readElf(file);
  if (elf === undefined) return [];
  return [{ name, architecture: elf.architecture, tooNew: newerThanLambda(await versionsNeeded(file, elf)) }];
}
