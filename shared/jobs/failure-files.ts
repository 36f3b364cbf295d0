import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { FailureLine } from '../contract/result-line.ts';
import type { JobTarget } from './job-target.ts';
import { escapeLoneSurrogates } from './lone-surrogates.ts';

/** Writes failure lines as JSON lines; replaces the object. */
export async function writeFailureLines(
  { s3, resultsBucket: Bucket }: Pick<JobTarget, 's3' | 'resultsBucket'>,
  Key: string,
  lines: readonly FailureLine[],
): Promise<void> {
  const Body = escapeLoneSurrogates(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
  await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/x-ndjson' }));
}
