import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import type { JobSettings } from '../settings.ts';
import { createS3Client } from './s3-client.ts';
import { createSqsClient } from './sqs-client.ts';

/** The queue and the bucket that a job runs on, and the clients to reach them. */
export type JobTarget = JobSettings & { sqs: SQSClient; s3: S3Client };

/** @param config empty for what the AWS SDK finds in its own environment variables and profiles */
export function createJobTarget(settings: JobSettings, config: SQSClientConfig & S3ClientConfig): JobTarget {
  return { ...settings, sqs: createSqsClient(config), s3: createS3Client(config) };
}
