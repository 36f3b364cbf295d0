import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const MODULE = join(import.meta.dirname, '../../shared/classifier/tensorflow/prepare-tfjs-node.ts');
/** As the C library has it, where TensorFlow looks: a process that is started inherits that. */
const PRINT = `
  import { execFileSync } from 'node:child_process';
  await import(process.argv[1]);
  process.stdout.write(execFileSync('env'));
`;

async function environmentOfTensorflow(variables: NodeJS.ProcessEnv): Promise<string[]> {
  const { TF_ENABLE_ONEDNN_OPTS: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', '--input-type=module', '--eval', PRINT, MODULE],
    { env: { ...env, ...variables } },
  );
  return stdout.split('\n');
}

test('whatever loads TensorFlow has it compute with oneDNN on every processor', async () => {
  expect(await environmentOfTensorflow({})).toContain('TF_ENABLE_ONEDNN_OPTS=1');
});

test('a user may switch oneDNN off', async () => {
  expect(await environmentOfTensorflow({ TF_ENABLE_ONEDNN_OPTS: '0' })).toContain('TF_ENABLE_ONEDNN_OPTS=0');
});
