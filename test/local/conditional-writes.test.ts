import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from '@jest/globals';
import { startTestAws } from '../../testkit/test-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

const KEY = 'jobs/cats/guard.json';

async function put(Body: string, condition: { IfMatch?: string; IfNoneMatch?: string } = {}): Promise<string> {
  const command = new PutObjectCommand({ Bucket: aws.target.resultsBucket, Key: KEY, Body, ...condition });
  return (await aws.target.s3.send(command)).ETag ?? '';
}

async function content(): Promise<string | undefined> {
  const { Body } = await aws.target.s3.send(new GetObjectCommand({ Bucket: aws.target.resultsBucket, Key: KEY }));
  return Body?.transformToString();
}

test('of twenty writes of an object that must not exist, one succeeds', async () => {
  const attempts = Array.from({ length: 20 }, (_, index) => put(String(index), { IfNoneMatch: '*' }));
  const outcomes = await Promise.allSettled(attempts);
  const written = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [String(index)] : []));
  expect(written).toEqual([await content()]);
  const codes = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name);
  expect(new Set(codes)).toEqual(new Set([false, 'PreconditionFailed']));
});

test('of twenty writes that replace the version that they have read, one succeeds', async () => {
  const IfMatch = await put('first');
  const attempts = Array.from({ length: 20 }, (_, index) => put(String(index), { IfMatch }));
  const outcomes = await Promise.allSettled(attempts);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a missing object cannot be replaced', async () => {
  await expect(put('new', { IfMatch: '"0"' })).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('a write without a condition overwrites', async () => {
  await put('first');
  await put('second');
  expect(await content()).toBe('second');
});
