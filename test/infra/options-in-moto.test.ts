import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startMotoServer } from '../support/moto-server.ts';
import { askMoto, createMotoStack } from '../support/moto-stack.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { ACCOUNT_STAGES, EVERYTHING } from './stages.ts';

const [moto, folder] = await sharedByTests(startMotoServer(), createTemporaryFolder());
// The end record of a zip without entries: nobody calls these functions.
const zip = await folder.write('empty.zip', Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex'));

/** Stages are called by at most 20 characters. */
const stageNamed = (name: string) => `s${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;

/**
 * moto's CloudFormation knows no bots, answers a template with an HTTP API with an error of its own, and gives FIFO queues
 * names that it then refuses, where AWS's end with `.fifo`.
 */
const NOT_IN_MOTO = { api: undefined, chatbot: undefined, jobEvents: undefined, release: undefined };
type Config = { fleet?: object; vpc?: object };
const asMotoTakesIt = (config: Config): Config => ({ ...config, ...NOT_IN_MOTO });

/** moto looks up the networks of instances, and no others: it has subnets of its own. */
async function inNetworkOfMoto(config: Config): Promise<Config> {
  if (config.fleet === undefined) return config;
  const vpc = {
    subnetIds: [await idOf('DescribeSubnets', 'subnetId')],
    securityGroupIds: [await idOf('DescribeSecurityGroups', 'groupId')],
  };
  const isNamed = config.vpc !== undefined || 'vpc' in config.fleet;
  return isNamed ? { ...config, fleet: { ...config.fleet, vpc } } : config;
}

async function idOf(action: string, element: string): Promise<string> {
  const response = await askMoto(moto, 'ec2', `/?Action=${action}&Version=2016-11-15`);
  const [, id = ''] = new RegExp(`<${element}>([^<]+)<`).exec(await response.text()) ?? [];
  return id;
}
const OF_API_ALONE = ['with an API for pages', 'released by canaries', 'with ends announced everywhere'];
const TAKEN = ACCOUNT_STAGES.filter(([name]) => !OF_API_ALONE.includes(name));

test.each([...TAKEN, ['everything', EVERYTHING] as [string, object]])(
  'CloudFormation creates a stage that is %s',
  async (name, config) => {
    const stage = stageNamed(name);
    const created = await createMotoStack(moto, {
      ...{ stage, config: await inNetworkOfMoto(asMotoTakesIt(config)), zip, outdir: join(folder.path, stage) },
    });
    expect(created).toEqual(expect.arrayContaining(['AWS::SQS::Queue', 'AWS::S3::Bucket', 'AWS::Lambda::Function']));
    const response = await askMoto(moto, 'lambda', '/2015-03-31/functions/');
    const { Functions } = (await response.json()) as { Functions: { FunctionName: string }[] };
    expect(Functions.map(({ FunctionName }) => FunctionName)).toContainEqual(expect.stringContaining(stage));
  },
  300_000,
);
