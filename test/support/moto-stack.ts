import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { App, Stack } from 'aws-cdk-lib';
import { stageApp } from '../../infra/stage-app.ts';
import { stageConfig } from '../../infra/stage-config.ts';
import type { MotoServer } from './moto-server.ts';

export type MotoStackOptions = {
  stage: string;
  config?: object;
  /** A zip, or any file in its place for a stack whose functions are not called. */
  zip: string;
  outdir: string;
};

/** How the SDK's clients reach moto. */
export function motoClientConfig({ endpoint, region }: MotoServer) {
  return { endpoint, region, credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' } };
}

/**
 * What `cdk deploy` does: uploads the assets, then has CloudFormation create the stack.
 *
 * @returns the types that it made
 * @throws {Error} when CloudFormation did not finish
 */
export async function createMotoStack(
  moto: MotoServer,
  { stage, config = {}, zip, outdir }: MotoStackOptions,
): Promise<string[]> {
  const { account, region } = moto;
  const { app, stack } = stageApp(
    stageConfig(stage, config),
    { packagePath: zip, nodePath: zip },
    { account, region },
    { outdir },
  );
  return await createStackOfApp(moto, { app, stack, outdir });
}

/** The same for a stack of any app. @param outdir where the app is synthesized to */
export async function createStackOfApp(
  moto: MotoServer,
  { app, stack, outdir }: { app: App; stack: Stack; outdir: string },
): Promise<string[]> {
  app.synth();
  await uploadAssets(moto, outdir, stack.stackName);
  const cloudFormation = new CloudFormationClient(motoClientConfig(moto));
  const StackName = stack.stackName;
  const TemplateBody = readFileSync(join(outdir, `${StackName}.template.json`), 'utf8');
  const Capabilities = ['CAPABILITY_IAM' as const];
  await cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody, Capabilities }));
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
  const status = Stacks?.[0]?.StackStatus;
  if (status !== 'CREATE_COMPLETE') throw new Error(`expected moto to create ${StackName}, got ${status}`);
  const { StackResourceSummaries = [] } = await cloudFormation.send(new ListStackResourcesCommand({ StackName }));
  return StackResourceSummaries.map(({ ResourceType = '' }) => ResourceType);
}

async function uploadAssets(moto: MotoServer, outdir: string, stackName: string): Promise<void> {
  const bucket = `cdk-hnb659fds-assets-${moto.account}-${moto.region}`;
  // moto takes minutes to decode the chunks that a checksum behind 135 MB makes.
  const s3 = new S3Client({ ...motoClientConfig(moto), requestChecksumCalculation: 'WHEN_REQUIRED' });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const { path, objectKey } of assetsIn(join(outdir, `${stackName}.assets.json`))) {
    const Body = createReadStream(join(outdir, path));
    const { size } = await stat(join(outdir, path));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: objectKey, Body, ContentLength: size }));
  }
  await putBootstrapVersion(moto);
}

function assetsIn(manifest: string): { path: string; objectKey: string }[] {
  const { files } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    files: Record<string, { source: { path: string }; destinations: Record<string, { objectKey: string }> }>;
  };
  return Object.values(files).flatMap(({ source, destinations }) =>
    Object.values(destinations).map(({ objectKey }) => ({ path: source.path, objectKey })),
  );
}

/** What `cdk bootstrap` leaves behind, and every template asks for. */
async function putBootstrapVersion(moto: MotoServer): Promise<void> {
  const { status } = await askMoto(moto, 'ssm', '/', {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.PutParameter' },
    body: JSON.stringify({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '30', Type: 'String', Overwrite: true }),
  });
  if (status !== 200) throw new Error(`expected moto to take a parameter, got ${status}`);
}

/** A request to a service that no client is installed for; moto distinguishes services by the scope of the signature. */
export function askMoto(
  { endpoint, region }: MotoServer,
  service: string,
  path: string,
  init: { method?: string; headers?: object; body?: string } = {},
): Promise<Response> {
  const scope = `nobody/20260101/${region}/${service}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
  return fetch(`${endpoint}${path}`, { ...init, headers: { ...init.headers, authorization } });
}
