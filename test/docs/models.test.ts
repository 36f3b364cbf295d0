import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { stageConfig } from '../../infra/stage-config.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';
import { runCommand } from '../support/command.ts';
import { kerasPackages } from '../support/keras-packages.ts';
import { AWS_CLI, pythonPackages } from '../support/python-packages.ts';

const ROOT = join(import.meta.dirname, '../..');
const document = readFileSync(join(ROOT, 'docs/models.md'), 'utf8');
const walk = /## From a Keras model to labels in S3\n(.*?)\n## /s.exec(document)?.[1] ?? '';

/** The blocks of the walk-through in their order, as a reader would paste them. */
function blocks(language: string): string[] {
  return [...walk.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, text = '']) => text);
}

/** TensorFlow for Python is fetched and unpacked, unless it is there already. */
const SET_UP_MS = 600_000;
/** Python and TensorFlow start several times in a block, on a machine that may be busy. */
jest.setTimeout(300_000);

const [install = '', train = '', onThisMachine = '', fromS3 = '', deployed = '', ...more] = blocks('sh');
const requirements =
  /^python3 -m venv keras && \. keras\/bin\/activate\npython3 -m pip install -r (\S+)\n$/.exec(install)?.[1] ?? '';

let folder: TemporaryFolder;
let aws: TestAws;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await createTemporaryFolder();
  for (const name of ['bin', 'samples']) await symlink(join(ROOT, name), join(folder.path, name));
  aws = await startTestAws();
  await aws.target.s3.send(new CreateBucketCommand({ Bucket: 'my-bucket' }));
  const keras = await kerasPackages(join(ROOT, requirements));
  const awsCli = await pythonPackages(AWS_CLI);
  environment = {
    ...aws.environment,
    PATH: `${dirname(process.execPath)}:${join(awsCli, 'bin')}:${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? '',
    PYTHONPATH: `${keras}:${awsCli}`,
  };
}, SET_UP_MS);
afterAll(async () => {
  await aws.stop();
  await folder[Symbol.asyncDispose]();
});

/** Runs a block in a shell that stops at the first command that fails. */
async function run(block: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-ec', block], { cwd: folder.path, env: environment });
  return stdout;
}

describe('the walk-through from a Keras model to labels in S3', () => {
  test('has exactly the commands of this test', () => {
    expect(requirements).toBe('samples/keras/requirements.txt');
    expect(more).toEqual([]);
    expect(deployed.split('\n')[0]).toBe('npm run deploy');
  });

  test('trains and exports a model that passes model check', async () => {
    const stdout = await run(train);
    expect(stdout).toMatch(/^model +colours, version 1, saved model, CC0-1\.0$/m);
    expect(stdout).toMatch(/^input +\S+ float32 \[\?, 64, 64, 3\]$/m);
    expect(stdout).toMatch(/^labels +4 from classifier\.json: red \| green \| blue/m);
    expect(stdout).toMatch(/^samples\/photos\/coffee\.jpg:\nred \(score = /m);
    expect(stdout).toMatch(/^no warnings$/m);
  });

  test('labels photos with it, one by one and through SQS, workers and S3', async () => {
    const stdout = await run(onThisMachine);
    expect(stdout).toMatch(/^red \(score = /);
    const lines = (await readFile(join(folder.path, 'colours-state/demo/results.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        model: { name: 'colours', version: '1' },
        labels: expect.arrayContaining([expect.objectContaining({ label: 'green' })]),
      });
      expect(stdout).toContain(line);
    }
  });

  test('loads it from S3, with its hash in the configuration of a stage', async () => {
    const stdout = await run(fromS3);
    expect(stdout).toMatch(/^red \(score = /m);
    const sha256 = /^[0-9a-f]{64}$/m.exec(stdout)?.[0] ?? '';
    const [json = ''] = blocks('json');
    const given = JSON.parse(json.replace(/0{64}/, sha256));
    expect(stageConfig('dev', given)).toMatchObject({ model: { s3Uri: 's3://my-bucket/colours/', sha256 } });
  });

  const commands = deployed.split('\n').filter((line) => line.startsWith('bin/labelqueue'));
  test.each(commands)('%s is a command', async (line) => {
    await folder.write('urls.csv', 'https://example.com/a.jpg\n');
    const args = line
      .split(' ')
      .slice(1)
      .map((argument) => (argument === 'urls.csv' ? join(folder.path, argument) : argument));
    const nobody = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' };
    const { code, stderr } = await runCommand(args, { environment: { ...aws.environment, ...nobody } });
    // It got as far as CloudFormation, which nobody is here.
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('cannot be reached') });
  });
});
