import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createS3Client } from '../../shared/jobs/s3-client.ts';

const PROJECT = join(import.meta.dirname, '../..');
const ON_LOCALHOST = { Endpoint: 'http://localhost:9000', Bucket: 'my-bucket' };
const IN_AWS = { Region: 'eu-west-1', Bucket: 'my-bucket' };

/** Where the client sends requests, by the SDK's own rules. */
function urlOf(parameters: { Endpoint?: string; Region?: string; Bucket: string }, style?: string): string {
  const environment = style === undefined ? {} : { S3_ADDRESSING_STYLE: style };
  const { config } = createS3Client({ region: 'us-east-1' }, environment);
  return config.endpointProvider({ Region: 'us-east-1', ...parameters }, {}).url.href;
}

test.each([
  ['in the path with an endpoint', undefined, ON_LOCALHOST, 'http://localhost:9000/my-bucket'],
  [
    'in the path with an endpoint of a name with dots',
    undefined,
    { ...ON_LOCALHOST, Endpoint: 'https://minio.example' },
    'https://minio.example/my-bucket',
  ],
  ['in the host in AWS', undefined, IN_AWS, 'https://my-bucket.s3.eu-west-1.amazonaws.com/'],
  [
    'in the host with an endpoint of AWS',
    undefined,
    { ...IN_AWS, Endpoint: 'https://s3.dualstack.eu-west-1.amazonaws.com' },
    'https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com/',
  ],
  [
    'in the path with an endpoint that only looks like one of AWS',
    undefined,
    { ...ON_LOCALHOST, Endpoint: 'https://amazonaws.com.example' },
    'https://amazonaws.com.example/my-bucket',
  ],
  ['in the path everywhere when told so', 'path', IN_AWS, 'https://s3.eu-west-1.amazonaws.com/my-bucket'],
  ['in the host everywhere when told so', 'virtual', ON_LOCALHOST, 'http://my-bucket.localhost:9000/'],
  ['in the path with an endpoint by the default', 'auto', ON_LOCALHOST, 'http://localhost:9000/my-bucket'],
])('the bucket is %s', (_where, style, parameters, url) => {
  expect(urlOf(parameters, style)).toBe(url);
});

test('the ARN of an access point is sent to AWS, whatever the style', () => {
  const Bucket = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/photos';
  expect(urlOf({ Region: 'eu-west-1', Bucket })).toBe(
    'https://photos-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/',
  );
});

test('another style is refused with the three valid ones', () => {
  expect(() => createS3Client({}, { S3_ADDRESSING_STYLE: 'dns' })).toThrow(
    /S3_ADDRESSING_STYLE="dns": .*"auto"\|"path"\|"virtual"/,
  );
});

test('clients of S3 and SQS are created in one place each', async () => {
  const makers: string[] = [];
  for await (const file of glob('{cli,functions,local,shared,worker,dashboard}/**/*.ts', { cwd: PROJECT })) {
    const text = await readFile(join(PROJECT, file), 'utf8');
    if (/new (?:S3|SQS)Client\(/.test(text)) makers.push(file);
  }
  // The embedded service is given its address, which is a number.
  expect(makers.toSorted()).toEqual([
    'local/local-service.ts',
    'shared/jobs/s3-client.ts',
    'shared/jobs/sqs-client.ts',
  ]);
});
