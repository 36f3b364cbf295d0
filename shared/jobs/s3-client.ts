import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { isOfAws } from '../contract/urls.ts';
import { awsSettingsFrom, type S3AddressingStyle } from '../settings.ts';
import { withNamedCalls } from './named-calls.ts';

/**
 * A client with path-style URLs (`http://localhost:9000/bucket/key`) wherever an endpoint is set: by a variable of AWS, in its
 * configuration file or in `config`. The SDK's default is virtual-hosted style (`http://bucket.localhost:9000/key`), which
 * needs wildcard DNS. Endpoints of AWS have that, and directory buckets require it. S3_ADDRESSING_STYLE overrides.
 *
 * @param environment read for S3_ADDRESSING_STYLE
 * @throws {SettingsError}
 */
export function createS3Client(config: S3ClientConfig = {}, environment: NodeJS.ProcessEnv = process.env): S3Client {
  const client = withNamedCalls(new S3Client(config));
  const { s3AddressingStyle } = awsSettingsFrom(environment);
  // The provider receives the endpoint however it was set, even in a file, which no constructor can read.
  const { endpointProvider } = client.config;
  client.config.endpointProvider = (parameters, context) =>
    endpointProvider(
      isInPath(s3AddressingStyle, parameters) ? { ...parameters, ForcePathStyle: true } : parameters,
      context,
    );
  return client;
}

type EndpointParameters = Parameters<S3Client['config']['endpointProvider']>[0];

/** An ARN names a bucket of AWS, and is never part of a path. */
function isInPath(style: S3AddressingStyle, { Endpoint, Bucket }: EndpointParameters): boolean {
  if (style === 'virtual' || Bucket?.startsWith('arn:')) return false;
  return style === 'path' || (Endpoint !== undefined && !isOfAws(Endpoint));
}
