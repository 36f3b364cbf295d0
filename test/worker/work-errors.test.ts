import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { runCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { runMain } from '../support/work-main.ts';

const [aws, folder] = await sharedByTests(startTestAws(), createTemporaryFolder());

type Wrong = { environment?: Record<string, string | undefined> };

const MISTAKES: [string, () => Wrong, RegExp][] = [
  ['no settings', () => ({ environment: { QUEUE_URL: '', RESULTS_BUCKET: '' } }), /QUEUE_URL is not set/],
  [
    'a queue that is not there',
    () => ({ environment: { QUEUE_URL: `${aws.environment.AWS_ENDPOINT_URL}/000000000000/nowhere` } }),
    /QueueDoesNotExist|NonExistentQueue|does not exist/,
  ],
  ['a bucket that is not there', () => ({ environment: { RESULTS_BUCKET: 'nowhere' } }), /there is no bucket nowhere/],
  ['a key that is refused', () => ({ environment: { AWS_ACCESS_KEY_ID: 'stranger' } }), /InvalidAccessKeyId/],
  [
    'no region',
    () => ({ environment: { AWS_REGION: undefined, AWS_CONFIG_FILE: '/dev/null' } }),
    /^labelqueue: no AWS region: set AWS_REGION/,
  ],
  ['an empty region', () => ({ environment: { AWS_REGION: '' } }), /^labelqueue: not an AWS region: set AWS_REGION/],
  [
    'an endpoint that is not a URL',
    () => ({ environment: { AWS_ENDPOINT_URL_SQS: 'sqs.example.com' } }),
    /^labelqueue: SQS has no valid endpoint/,
  ],
  [
    'a number that is none',
    () => ({ environment: { WORK_PROCESSES: 'many' } }),
    /WORK_PROCESSES="many": expected a whole number/,
  ],
  ['a model that is none', () => ({ environment: { MODEL_DIR: folder.path } }), /no process of the worker starts/],
];

test.each(MISTAKES)(
  'ends with a message, without a stack, for %s',
  async (_what, wrong, message) => {
    const { environment = {} } = wrong();
    const all = defined({ ...aws.environment, WORK_PROCESSES: '1', ...environment });
    for (const { code, stderr } of [await runCommand(['work'], { environment: all }), await runMain(all)]) {
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^labelqueue: /);
      expect(stderr).not.toMatch(/^ {4}at /m);
      expect(code).toBe(1);
    }
  },
  120_000,
);

function defined(environment: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

test('ends with a message when its port is in use', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await runCommand(['work', '--port', String(port)], { environment: aws.environment });
  server.close();
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `labelqueue: port ${port} is in use: name another one with --port\n`,
  });
}, 60_000);

test.each([
  ['more processes than it may have', ['work', '--processes', '1000']],
  ['a time that is none', ['work', '--drain-seconds', 'long']],
  ['a time to wait that is none', ['work', '--exit-when-empty', 'soon']],
])('refuses %s as a usage error', async (_what, args) => {
  expect(await runCommand(args)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^labelqueue: .+whole number/),
  });
});
