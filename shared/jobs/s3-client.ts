import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { isOfAws } from '../contract/aws-hosts.ts';
import { awsSettingsFrom, type S3AddressingStyle } from '../settings.ts';
import { withNamedCalls } from './named-calls.ts';

/**
 * A client that names the bucket in the path of the URL (`http://localhost:9000/bucket/key`) wherever an endpoint is
 * set, by a variable of AWS, in its configuration file or in `config`. The SDK would put the bucket before the host
 * (`http://bucket.localhost:9000/key`), and names without wildcard DNS have no such hosts. An endpoint of
 * AWS has them, and directory buckets are served at no other place. S3_ADDRESSING_STYLE overrides.
 *
 * @param environment where S3_ADDRESSING_STYLE is looked up
 * @throws {SettingsError}
 */
export function createS3Client(config: S3ClientConfig = {}, environment: NodeJS.ProcessEnv = process.env): S3Client {
  const client = withNamedCalls(new S3Client(config));
  const { s3AddressingStyle } = awsSettingsFrom(environment);
  // The provider is given the endpoint whatever has set it, a file included, which no constructor can read.
  const { endpointProvider } = client.config;
  client.config.endpointProvider = (parameters, context) =>
    endpointProvider(
      isInPath(s3AddressingStyle, parameters) ? { ...parameters, ForcePathStyle: true } : parameters,
      context,
    );
  return client;
}

type EndpointParameters = Parameters<S3Client['config']['endpointProvider']>[0];

/** An ARN stands for a bucket of AWS itself, and is never part of a path. */
function isInPath(style: S3AddressingStyle, { Endpoint, Bucket }: EndpointParameters): boolean {
  if (style === 'virtual' || Bucket?.startsWith('arn:')) return false;
  return style === 'path' || (Endpoint !== undefined && !isOfAws(Endpoint));
}
