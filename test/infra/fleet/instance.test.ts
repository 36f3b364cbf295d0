/** What an instance does from its start to its end, with its user data, its units and the package as they are deployed. */
import { execFile } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { environmentFile, type UserDataProps, userData } from '../../../infra/fleet/user-data.ts';
import { packageNode } from '../../../infra/package/package-node.ts';
import { packageWorker } from '../../../infra/package/package-worker.ts';
import { jobStatus } from '../../../shared/jobs/job-status.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../../testkit/test-aws.ts';
import { type InstanceRoot, startInstance } from '../../support/instance/instance-root.ts';
import { type MetadataServer, startMetadataServer } from '../../support/instance/metadata-server.ts';
import { type MotoServer, startMotoServer } from '../../support/moto-server.ts';
import { motoClientConfig } from '../../support/moto-stack.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ASSETS = 'assets-of-deploys';
const INSTANCE = 'i-0123456789abcdef0';
/** TensorFlow is compressed unless it is already; on a machine that may be busy. */
jest.setTimeout(600_000);

let folder: TemporaryFolder;
let aws: TestAws;
let images: ImageServer;
let metadata: MetadataServer;
let moto: MotoServer;

/** Into a bucket of moto, since the embedded S3 takes no objects of this size. */
async function upload(key: string, path: string): Promise<string> {
  const s3 = new S3Client({ ...motoClientConfig(moto), requestChecksumCalculation: 'WHEN_REQUIRED' });
  const { size } = statSync(path);
  await s3.send(new PutObjectCommand({ Bucket: ASSETS, Key: key, Body: createReadStream(path), ContentLength: size }));
  return `s3://${ASSETS}/${key}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function boot(name: string, props: Partial<UserDataProps>): Promise<InstanceRoot> {
  const { AWS_ENDPOINT_URL = '', AWS_REGION = '', ...rest } = aws.environment;
  const healthPort = await freePort();
  const script = userData({
    ...{ region: AWS_REGION, groupName: 'labelqueue-test-fleet', service: 'labelqueue-test', logGroupName: 'logs' },
    ...{ packageUrl: '', nodeUrl: '', healthPort },
    ...props,
    environment: {
      ...Object.fromEntries(Object.entries(rest).filter(([variable]) => !variable.startsWith('AWS_'))),
      ...{ ALLOWED_HOSTS: images.host, POWERTOOLS_SERVICE_NAME: 'labelqueue-test' },
      ...{ WORK_PORT: String(healthPort), WORK_PROCESSES: '1', WORK_DRAIN_SECONDS: '20', WORK_SPOT: 'true' },
    },
  });
  const place = join(folder.path, name);
  await mkdir(place);
  return startInstance(place, script, {
    ...(Object.fromEntries(
      Object.entries(aws.environment).filter(([variable]) => variable.startsWith('AWS_')),
    ) as Record<string, string>),
    ...{
      AWS_ENDPOINT_URL,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint,
      ASSETS_ENDPOINT_URL: moto.endpoint,
      LOOK_SECONDS: '0.2',
    },
  });
}

const describeOnLinux = process.platform === 'linux' ? describe : describe.skip;

describeOnLinux('an instance of a fleet, in a root of its own', () => {
  let packageUrl: string;
  let nodeUrl: string;

  beforeAll(async () => {
    folder = await createTemporaryFolder();
    [aws, images, metadata, moto] = await Promise.all([
      startTestAws(),
      startImageServer(),
      startMetadataServer(),
      startMotoServer(),
    ]);
    await new S3Client(motoClientConfig(moto)).send(new CreateBucketCommand({ Bucket: ASSETS }));
    metadata.documents.set('instance-id', INSTANCE);
    metadata.documents.set('instance-type', 'm7a.xlarge');
    metadata.documents.set('autoscaling/target-lifecycle-state', 'InService');
    const folders = { root: ROOT, work: join(ROOT, '.labelqueue/package'), dist: join(folder.path, 'dist') };
    const [made, node] = [
      await packageWorker(folders, 'this machine'),
      await packageNode(folders, process.arch === 'arm64' ? 'arm64' : 'x86_64'),
    ];
    packageUrl = await upload('package.zip', made.path);
    nodeUrl = await upload('node.zip', node.path);
  }, 600_000);

  afterAll(async () => {
    await images.close();
    await metadata[Symbol.asyncDispose]();
    await moto[Symbol.asyncDispose]();
    await aws.stop();
    await folder[Symbol.asyncDispose]();
  });

  test('downloads the worker, reports ready, labels a photo from the queue, and drains when the group terminates it', async () => {
    await using instance = await boot('whole', { packageUrl, nodeUrl });
    expect({ code: instance.code, output: instance.output() }).toMatchObject({ code: 0 });
    expect(await instance.calls()).toEqual([
      'systemctl daemon-reload',
      'systemctl enable --now labelqueue-logs.service labelqueue-lifecycle.service labelqueue-worker.service',
      completed('ready', 'CONTINUE'),
    ]);

    const photo = { id: 'coffee', url: images.url('/photos/coffee.jpg') };
    await aws.send(JSON.stringify({ v: 1, job: 'fleet', attempt: 1, images: [photo] }));
    await eventually('a labeled photo', async () => (await aws.results('fleet')).length > 0, 120_000);
    const [line] = await aws.results('fleet');
    expect(line).toMatchObject({
      id: 'coffee',
      labels: expect.arrayContaining([expect.objectContaining({ label: 'espresso' })]),
    });
    // The time in the name of the part file is that of this type of instance.
    const { computing } = (await jobStatus(aws.target, 'fleet', new Date())) ?? {};
    expect(computing).toMatchObject({ measuredShare: 1, workers: [{ host: 'ec2', instanceFamily: 'm7a' }] });

    metadata.documents.set('autoscaling/target-lifecycle-state', 'Terminated');
    await eventually('the group to be told', async () => (await instance.calls()).length >= 5, 60_000);
    expect((await instance.calls()).slice(3)).toEqual([
      'systemctl stop labelqueue-worker.service',
      completed('drain', 'CONTINUE'),
    ]);
    metadata.documents.set('autoscaling/target-lifecycle-state', 'InService');
    expect(aws.queued()).toEqual([]);
    expect(readFileSync(join(instance.path, 'log-labelqueue-worker.service'), 'utf8')).toContain('ImagesClassified');
  });

  test('is not abandoned when the group terminates it before it is ready', async () => {
    metadata.documents.set('autoscaling/target-lifecycle-state', 'Terminated');
    await using instance = await boot('taken-away', { packageUrl, nodeUrl });
    metadata.documents.set('autoscaling/target-lifecycle-state', 'InService');
    expect(instance.code).toBe(0);
    await eventually('the group to be told', async () => (await instance.calls()).length >= 4, 60_000);
    const calls = await instance.calls();
    expect(calls).toContain(completed('drain', 'CONTINUE'));
    expect(calls).not.toContain('systemctl poweroff');
    expect(calls.filter((call) => call.includes('FleetInstancesGivenUp'))).toEqual([]);
  });

  test('stops when it cannot find out its instance id', async () => {
    metadata.documents.delete('instance-id');
    await using instance = await boot('without-id', { packageUrl, nodeUrl });
    metadata.documents.set('instance-id', INSTANCE);
    expect(instance.code).not.toBe(0);
    const calls = await instance.calls();
    expect(calls.at(-1)).toBe('systemctl poweroff');
    expect(calls.filter((call) => call.includes('complete-lifecycle-action'))).toEqual([]);
    expect(calls.filter((call) => call.includes('enable --now'))).toEqual([]);
  });

  test('stops when there is no package: reports it in a metric, lets the group continue, and shuts down', async () => {
    await using instance = await boot('without-package', { packageUrl: `s3://${ASSETS}/nothing.zip`, nodeUrl });
    expect(instance.code).not.toBe(0);
    expect(await instance.calls()).toEqual([
      'aws cloudwatch put-metric-data --region us-east-1 --namespace labelqueue --metric-name FleetInstancesGivenUp --dimensions service=labelqueue-test --value 1',
      completed('ready', 'ABANDON'),
      'systemctl poweroff',
    ]);
  });
});

function completed(hook: string, result: string): string {
  return `aws autoscaling complete-lifecycle-action --region us-east-1 --auto-scaling-group-name labelqueue-test-fleet --lifecycle-hook-name ${hook} --lifecycle-action-result ${result} --instance-id ${INSTANCE}`;
}

describe('settings', () => {
  test('are read from their file unchanged, whatever they contain', async () => {
    const values = { PLAIN: 'a,b', QUOTED: 'say "hi"', DOLLAR: '$HOME `id` \\ $(id)', SPACED: ' a  b ' };
    const file = environmentFile(values);
    const names = Object.keys(values).map((name) => `"$${name}"`);
    const script = `set -a; ${file}\nprintf '%s\\n' ${names.join(' ')}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    expect(stdout.split('\n').slice(0, -1)).toEqual(Object.values(values));
  });
});

const HOST = join(ROOT, 'infra/fleet/host');
const ANALYZE = '/usr/bin/systemd-analyze';
const describeWithSystemd = existsSync(ANALYZE) ? describe : describe.skip;

describeWithSystemd('the units', () => {
  test.each(readdirSync(HOST).filter((name) => name.endsWith('.service')))(
    'systemd finds nothing wrong in %s',
    async (name) => {
      const place = await createTemporaryFolder();
      const text = readFileSync(join(HOST, name), 'utf8').replaceAll(/^ExecStart=\S+/gm, 'ExecStart=/bin/true');
      const unit = await place.write(name, text.replaceAll('@STOP_TIMEOUT_SECONDS@', '105'));
      const { stderr } = await promisify(execFile)(ANALYZE, ['verify', '--man=no', '--recursive-errors=no', unit]);
      expect(stderr).toBe('');
      await place[Symbol.asyncDispose]();
    },
  );
});
