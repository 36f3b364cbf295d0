/** `enqueue --dry-run --stack`: the estimate is of the workers that the stack has. */
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BENCHMARK } from '../../shared/cost.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { templateOf } from '../infra/synthesized.ts';
import { runCommand } from '../support/command.ts';
import { type MotoServer, startMotoServer } from '../support/moto-server.ts';
import { motoClientConfig } from '../support/moto-stack.ts';

const IMAGES = 100_000;

let folder: TemporaryFolder;
let moto: MotoServer;
let list: string;
beforeAll(async () => {
  [folder, moto] = await Promise.all([createTemporaryFolder(), startMotoServer()]);
  list = await folder.write(
    'list.txt',
    Array.from({ length: IMAGES }, (_, index) => `https://host/${index}.jpg\n`),
  );
}, 60_000);
afterAll(async () => {
  await moto[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Creates a stack with the outputs of a stage, the names of its queues and bucket aside. */
async function deployed(stack: string, workers: string | undefined): Promise<void> {
  const outputs = { QueueUrl: 'https://queue', DeadLetterQueueUrl: 'https://dead', ResultsBucketName: 'results' };
  const all = { ...outputs, ...(workers !== undefined && { Workers: workers }) };
  const template = {
    Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
    Outputs: Object.fromEntries(Object.entries(all).map(([name, Value]) => [name, { Value }])),
  };
  const client = new CloudFormationClient(motoClientConfig(moto));
  await client.send(new CreateStackCommand({ StackName: stack, TemplateBody: JSON.stringify(template) }));
}

/** What `infra` writes into the stack of a stage. */
function workersOf(stage: object): string {
  return templateOf(stage).findOutputs('Workers')['Workers']?.['Value'];
}

async function dryRun(stack: string, ...options: string[]): Promise<string> {
  const { credentials, region } = motoClientConfig(moto) as {
    credentials: { accessKeyId: string; secretAccessKey: string };
    region: string;
  };
  const { code, stdout, stderr } = await runCommand(['enqueue', list, '--dry-run', '--stack', stack, ...options], {
    environment: {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** List prices of a second of 1,769 MB of Lambda. */
const X86_SECOND = (0.000_016_666_7 * 1_769) / 1_024;
const ARM_SECOND = (0.000_013_333_4 * 1_769) / 1_024;
/** Of a quarter of an instance with four vCPUs, its address and its disk. */
const vcpuSecond = (instanceHour: number) => (instanceHour + 0.005 + (12 * 0.08) / 730) / 4 / 3_600;

test.each([
  ['a stage of defaults', {}, 'lambdaUsd', X86_SECOND, { host: 'lambda', architecture: 'x86_64' }],
  ['arm64', { architecture: 'arm64' }, 'lambdaUsd', ARM_SECOND, { host: 'lambda', architecture: 'arm64' }],
  [
    '32-bit floats',
    { modelPrecision: 'float32' },
    'lambdaUsd',
    X86_SECOND,
    { processor: expect.stringContaining('floats') },
  ],
  ['a fleet', { fleet: {} }, 'fleetUsd', vcpuSecond(0.205_28), { host: 'ec2', instanceFamily: 'c7a' }],
  [
    'a fleet of other instances',
    { fleet: { instanceTypes: ['m7a.2xlarge'] } },
    ...(['fleetUsd', vcpuSecond(0.231_84), { host: 'ec2', instanceFamily: 'm7a' }] as const),
  ],
  [
    'a fleet on arm64',
    { architecture: 'arm64', fleet: {} },
    ...(['fleetUsd', vcpuSecond(0.145), { architecture: 'arm64', instanceFamily: 'c7g' }] as const),
  ],
  [
    'a fleet that waits for its turn',
    { fleet: { queue: 'lambda' } },
    ...(['lambdaUsd', X86_SECOND, { host: 'lambda' }] as const),
  ],
] as const)('%s is priced as such', async (name, stage, field, usdPerSecond, assumed) => {
  const stack = `labelqueue-${name.replaceAll(' ', '-')}`;
  await deployed(stack, workersOf(stage));
  const found = JSON.parse(await dryRun(stack, '--json'));
  expect(found.assumed).toMatchObject(assumed);
  expect(found.cost[field] / (found.workerSeconds * usdPerSecond)).toBeCloseTo(1, 6);
  const other = field === 'fleetUsd' ? 'lambdaUsd' : 'fleetUsd';
  expect(found.cost[other]).toBe(0);
});

test.each([
  ['of defaults', {}, 8],
  ['with a maximum', { maximumConcurrency: 20 }, 20],
  ['whose pollers limit them', { provisionedPollers: { minimum: 2, maximum: 20 } }, 1_000],
])('the time is that of as many workers as a stage has %s', async (name, stage, workers) => {
  const stack = `labelqueue-time-${name.replaceAll(' ', '-')}`;
  await deployed(stack, workersOf(stage));
  expect(await dryRun(stack, '--per-message', '100')).toContain(` with ${workers} workers\n`);
});

test.each([
  ['c7a', BENCHMARK.vnni.millisecondsPerImage, 'AVX-512 VNNI, x86_64'],
  ['c7i', 2 * BENCHMARK.vnni.millisecondsPerImage, 'AVX-512 VNNI, x86_64, a hyperthread as half a core'],
  ['c6a', 2 * BENCHMARK.avx2.millisecondsPerImage, 'AVX2, x86_64, a hyperthread as half a core'],
] as const)('a vCPU of %s is assumed to take %d ms per image', async (family, millisecondsPerImage, processor) => {
  const stack = `labelqueue-vcpu-${family}`;
  await deployed(stack, workersOf({ fleet: { instanceTypes: [`${family}.xlarge`] } }));
  const { assumed, workerSeconds } = JSON.parse(await dryRun(stack, '--json'));
  expect(assumed).toMatchObject({ processor, instanceFamily: family, millisecondsPerImage });
  expect(workerSeconds).toBeCloseTo((IMAGES * millisecondsPerImage) / 1_000, 3);
});

test('the text names the instances and what is not in the price', async () => {
  await deployed('labelqueue-text', workersOf({ fleet: { maxInstances: 2 } }));
  const text = await dryRun('labelqueue-text');
  expect(text).toMatch(
    /EC2 +\$[\d.]+ \(assumed: c7a on demand, AVX-512 VNNI, x86_64, [\d.]+ ms per image; plus the start and idle minutes of each instance; Spot costs less\)\n/,
  );
  expect(text).toContain(' with 8 workers\n');
});

test.each([
  ['earlier', undefined],
  ['later', '{"architecture":"riscv"}'],
  ['damaged', '{'],
])('a stack of an %s version is priced as one of defaults', async (name, workers) => {
  await deployed(`labelqueue-${name}-version`, workers);
  expect(JSON.parse(await dryRun(`labelqueue-${name}-version`, '--json')).assumed).toMatchObject({
    processor: 'AVX2, x86_64',
  });
});
