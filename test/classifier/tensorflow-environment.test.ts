import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const MODULE = join(import.meta.dirname, '../../shared/classifier/model/tensorflow/prepare-tfjs-node.ts');
/** As the C library has it, where TensorFlow looks: a process that is started inherits that. */
const PRINT = `
  import { execFileSync } from 'node:child_process';
  await import(process.argv[1]);
  process.stdout.write(execFileSync('env'));
`;

async function environmentOfTensorflow(variables: NodeJS.ProcessEnv): Promise<string[]> {
  const { TF_ENABLE_ONEDNN_OPTS: _, TF_NUM_INTRAOP_THREADS: __, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', '--input-type=module', '--eval', PRINT, MODULE],
    { env: { ...env, ...variables } },
  );
  return stdout.split('\n');
}

test('every process that loads TensorFlow computes with oneDNN, on every processor', async () => {
  expect(await environmentOfTensorflow({})).toContain('TF_ENABLE_ONEDNN_OPTS=1');
});

test('a user may switch oneDNN off', async () => {
  expect(await environmentOfTensorflow({ TF_ENABLE_ONEDNN_OPTS: '0' })).toContain('TF_ENABLE_ONEDNN_OPTS=0');
});

test.each([
  ['1769', '1'],
  ['1024', '1'],
  ['3008', '2'],
  ['3538', '2'],
])(
  'on Lambda with %s MB, TensorFlow has as many threads as there are vCPUs of time: %s',
  async (megabytes, threads) => {
    const environment = { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: megabytes };
    expect(await environmentOfTensorflow(environment)).toContain(`TF_NUM_INTRAOP_THREADS=${threads}`);
  },
);

test('elsewhere TensorFlow counts the processors itself', async () => {
  expect((await environmentOfTensorflow({})).join()).not.toContain('TF_NUM_INTRAOP_THREADS');
});
