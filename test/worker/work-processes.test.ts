import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { allowedCores } from '../../worker/pinned-core.ts';
import { workProcesses } from '../../worker/work-processes.ts';

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await createTemporaryFolder();
});
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

test("the environment of the command does not override the required variables of a worker's process", async () => {
  const handlerPath = await folder.write('handler.mjs', 'export const handler = async () => ({ ...process.env });');
  const environment = { UV_THREADPOOL_SIZE: '4', NODE_OPTIONS: '--enable-source-maps', OWN: 'kept' };
  const [environmentOfOne] = workProcesses({ count: 1, handlerPath, environment, onLine() {}, onErrorText() {} });
  const variables = await environmentOfOne?.invoke({ Records: [] });
  await environmentOfOne?.shutDown();
  expect(variables).toMatchObject({
    UV_THREADPOOL_SIZE: '16',
    NODE_OPTIONS: '--max-semi-space-size=2 --enable-source-maps',
    OWN: 'kept',
  });
});

const CORES_OF_PROCESS = `
  import { readFileSync } from 'node:fs';
  export const handler = async () => /^Cpus_allowed_list:\\s*(\\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
`;

async function coresOfProcesses(count: number): Promise<unknown[]> {
  const handlerPath = await folder.write('handler.mjs', CORES_OF_PROCESS);
  const processes = workProcesses({ count, handlerPath, environment: {}, onLine() {}, onErrorText() {} });
  try {
    return await Promise.all(processes.map((one) => one.invoke({ Records: [] })));
  } finally {
    await Promise.all(processes.map((one) => one.shutDown()));
  }
}

const severalCores = process.platform === 'linux' && allowedCores().length > 1 ? test : test.skip;

severalCores('where there are as many processes as cores, each process has a core of its own', async () => {
  const cores = allowedCores();
  expect(await coresOfProcesses(cores.length)).toEqual(cores.map(String));
});

severalCores('fewer processes than cores, or more, may use all of them', async () => {
  const all = /^Cpus_allowed_list:\s*(\S+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
  expect(await coresOfProcesses(1)).toEqual([all]);
  const more = allowedCores().length + 1;
  expect(await coresOfProcesses(more)).toEqual(Array.from({ length: more }, () => all));
});
