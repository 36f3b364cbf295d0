import { expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { runCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

/** Nothing listens on port 1. */
const UNREACHABLE = {
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_MAX_ATTEMPTS: '1',
  QUEUE_URL: 'http://127.0.0.1:1/000000000000/labelqueue',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:1/000000000000/labelqueue-dlq',
  RESULTS_BUCKET: 'labelqueue',
};

const [folder] = await sharedByTests(createTemporaryFolder());

const file = await folder.write('urls.txt', 'https://example.com/a.jpg\n');

/** Runs `enqueue`, which has to end with one message and exit code 1. */
async function complaint(args: string[], environment: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['enqueue', ...args], { environment });
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^labelqueue: /);
  // A stack trace would only hide the message.
  expect(stderr).not.toMatch(/\n {4}at /);
  return stderr;
}

test('names each setting that is missing', async () => {
  const text = await complaint([file], {});
  for (const name of ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'RESULTS_BUCKET']) {
    expect(text).toMatch(new RegExp(`^  ${name} is not set: expected`, 'm'));
  }
  expect(text).toContain(
    'start `labelqueue local` in another terminal; this command will find it; or use --stack NAME',
  );
});

test('names a missing file before missing settings', async () => {
  const text = await complaint(['nofile.csv'], {});
  expect(text).toBe('labelqueue: nofile.csv: no such file or folder\n');
});

test('a row without a URL is reported with its line and its column, in plain words', async () => {
  const table = await folder.write('bad.csv', 'id,image\n1,http://h/a.jpg\n2,\n');
  const { code, stderr } = await runCommand(['enqueue', table, '--dry-run']);
  expect(stderr).toMatch(/^line 3: no URL in the column image\n/);
  expect(code).toBe(1);
});

test('names an invalid setting, with its value and what was expected', async () => {
  const text = await complaint([file], { ...UNREACHABLE, RESULTS_BUCKET: 'My Bucket' });
  expect(text).toContain('RESULTS_BUCKET="My Bucket": expected the name of an S3 bucket');
  expect(text).not.toContain('QUEUE_URL');
});

test('says that AWS cannot be reached, and where', async () => {
  expect(await complaint([file], UNREACHABLE)).toContain(
    'S3 at http://127.0.0.1:1 cannot be reached for GetObject: ECONNREFUSED; is `labelqueue local` running',
  );
});

test('asks for a region', async () => {
  const { AWS_REGION: _, ...environment } = UNREACHABLE;
  expect(await complaint([file], environment)).toContain('AWS_REGION');
});

test('asks for credentials', async () => {
  const { AWS_ACCESS_KEY_ID: _, ...environment } = UNREACHABLE;
  const isolated = { ...environment, HOME: folder.path, AWS_EC2_METADATA_DISABLED: 'true' };
  expect(await complaint([file], isolated)).toContain('no AWS credentials');
});

test('says that there is no such file', async () => {
  expect(await complaint(['no-such-file.txt'], UNREACHABLE)).toContain('no-such-file.txt: no such file');
});

test('says that a folder has no images', async () => {
  expect(await complaint([folder.path], UNREACHABLE)).toContain('expected at least one image');
});

test('says that a file has no images', async () => {
  const empty = await folder.write('empty.txt', '\n\n');
  expect(await complaint([empty], UNREACHABLE)).toContain('expected at least one image');
});
