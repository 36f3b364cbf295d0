/** The sample CDK app, as somebody else's app. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { ImagesStack } from '../../samples/cdk-app/images-stack.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { nagged } from '../infra/rules.ts';
import { startMotoServer } from '../support/moto-server.ts';
import { createStackOfApp } from '../support/moto-stack.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder();
});
afterAll(async () => {
  await folder[Symbol.asyncDispose]();
});

function sampleStack(outdir: string, props: object = {}) {
  const app = new App({ outdir });
  return { app, stack: new ImagesStack(app, 'Images', { code: Code.fromAsset(import.meta.dirname), ...props }) };
}

test('the sample gives its function the right to send, and its role the right to read results', () => {
  const { stack } = sampleStack(join(folder.path, 'cdk.out'));
  const template = Template.fromStack(stack);
  const queue = { 'Fn::GetAtt': [Match.stringLikeRegexp('^ImagesJobsQueue'), 'Arn'] };
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 'sqs:SendMessage', Resource: queue })]) },
    Roles: [{ Ref: Match.stringLikeRegexp('^ProducerServiceRole') }],
  });
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 's3:GetObject' })]) },
    Roles: [{ Ref: Match.stringLikeRegexp('^Analyst') }],
  });
  template.resourcePropertiesCountIs('AWS::SNS::Subscription', { Endpoint: 'operator@example.com' }, 1);
});

test('cdk-nag finds nothing in the sample but the role that the CDK itself makes for a function', () => {
  const outdir = join(folder.path, 'nag');
  const found = nagged(sampleStack(outdir).app, outdir).trimEnd().split('\n');
  expect(found.filter((line) => !line.includes('Images/Producer/ServiceRole'))).toEqual([]);
});

test('the app of the sample is synthesized with the package that its context names', async () => {
  const zip = await folder.write('classify.zip', Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex'));
  const outdir = join(folder.path, 'app');
  process.env['CDK_OUTDIR'] = outdir;
  process.env['CDK_CONTEXT_JSON'] = JSON.stringify({ package: zip });
  try {
    const { app } = await import('../../samples/cdk-app/app.ts');
    app.synth();
    expect(await readdir(outdir)).toEqual(
      expect.arrayContaining(['Images.template.json', expect.stringMatching(/^asset\..*\.zip$/)]),
    );
  } finally {
    delete process.env['CDK_OUTDIR'];
    delete process.env['CDK_CONTEXT_JSON'];
  }
});

test('CloudFormation creates the stack of the sample', async () => {
  const moto = await startMotoServer();
  try {
    const zip = await folder.write('empty.zip', Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex'));
    const { account, region } = moto;
    const outdir = join(folder.path, 'moto');
    const { app, stack } = sampleStack(outdir, { code: Code.fromAsset(zip), env: { account, region } });
    const created = await createStackOfApp(moto, { app, stack, outdir });
    expect(created.filter((type) => type === 'AWS::Lambda::Function')).toHaveLength(3);
  } finally {
    await moto[Symbol.asyncDispose]();
  }
}, 300_000);
