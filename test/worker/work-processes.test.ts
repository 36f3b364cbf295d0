import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
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
