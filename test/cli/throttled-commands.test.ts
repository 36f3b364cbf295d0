import { beforeEach, expect, test } from '@jest/globals';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { runCommand } from '../support/command.ts';
import { startInterceptedAws } from '../support/intercepted-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const IMAGES = Array.from({ length: 40 }, (_, index) => `image-${index}`);
const FAILED = 'image-failed';

const [network, folder] = await sharedByTests(startInterceptedAws(), createTemporaryFolder());
beforeEach(async () => {
  network.aws.clear();
  network.intercept((_call, pass) => pass());
  const { target } = network.aws;
  await describeJob(target, [...IMAGES, FAILED]);
  for (const id of IMAGES) await writeParts(target, 'results', [result(id)]);
  await writeParts(target, 'failures', [failure(FAILED)]);
});

const S3_CALLS = new Set(['LIST', 'GET', 'PUT', 'HEAD', 'DELETE', 'POST']);

/** Refuses requests as S3 and SQS do that want fewer of them. @returns what was refused and what was answered */
function refuse(isRefused: (call: string, count: number) => boolean): { refused: string[]; answered: string[] } {
  const log: { refused: string[]; answered: string[] } = { refused: [], answered: [] };
  network.intercept(async (call, pass, _cut, answer) => {
    if (!isRefused(call, log.refused.length)) {
      log.answered.push(call);
      return pass();
    }
    log.refused.push(call);
    if (S3_CALLS.has(call)) answer({ status: 503, body: SLOW_DOWN });
    else answer({ status: 400, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: THROTTLED });
  });
  return log;
}
const SLOW_DOWN =
  '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
const THROTTLED = JSON.stringify({ __type: 'com.amazonaws.sqs#RequestThrottled', message: 'Rate exceeded' });

/** One request per try: what the SDK sends again by itself would hide what the command does. */
function run(...args: string[]) {
  return runCommand(args, { environment: { ...network.environment, AWS_MAX_ATTEMPTS: '1' } });
}

test.each([
  [
    'results',
    ['results', 'cats'],
    (stdout: string) => expect(stdout.trimEnd().split('\n')).toHaveLength(IMAGES.length),
  ],
  ['failures', ['failures', 'cats'], (stdout: string) => expect(stdout.trimEnd().split('\n')).toHaveLength(1)],
  [
    'status',
    ['status', 'cats', '--json'],
    (stdout: string) => expect(JSON.parse(stdout)).toMatchObject({ classified: 40, failed: 1 }),
  ],
  ['redrive', ['redrive', 'cats'], (stdout: string) => expect(stdout).toContain('1 image sent again')],
])('%s continues when S3 answers SlowDown, and says so', async (_name, args, expectWhole) => {
  // The first two of each kind of request, whatever comes between them.
  const counts = new Map<string, number>();
  const { refused } = refuse((call) => {
    const count = counts.get(call) ?? 0;
    counts.set(call, count + 1);
    return S3_CALLS.has(call) && count < 2;
  });
  const { stdout, stderr, code } = await run(...args);
  expect(refused.length).toBeGreaterThanOrEqual(4);
  expectWhole(stdout);
  expect(stderr).toContain(
    'S3 answers SlowDown: Please reduce your request rate.; going on with pauses, Ctrl-C ends this\n',
  );
  expect(code).toBe(0);
});

test('results that are throttled in the middle read nothing twice', async () => {
  // Every third part, once it has been asked for the first time.
  let gets = 0;
  const log = refuse((call) => call === 'GET' && gets++ % 3 === 2);
  const { stdout } = await run('results', 'cats');
  expect(new Set(stdout.trimEnd().split('\n')).size).toBe(IMAGES.length);
  // A part each, the failure, and job.json.
  expect(log.answered.filter((call) => call === 'GET')).toHaveLength(IMAGES.length + 2);
  expect(log.refused.length).toBeGreaterThan(10);
});

test('enqueue continues when SQS throttles it, and each image is sent once', async () => {
  const list = await folder.write('list.txt', IMAGES.map((id) => `https://host.example/${id}.jpg\n`).join(''));
  const { refused } = refuse((call, count) => call === 'SendMessageBatch' && count < 4);
  const { stdout, stderr, code } = await run('enqueue', list, '--job', 'slow', '--per-message', '1');
  expect(stderr).toContain('SQS answers RequestThrottled: Rate exceeded; going on with pauses, Ctrl-C ends this\n');
  expect(stdout).toContain('job slow: 40 images in 40 messages');
  expect(code).toBe(0);
  expect(refused).toHaveLength(4);
  const sent = network.aws.queued().flatMap(({ body }) => {
    const message = parseMessage(body);
    return message instanceof MalformedMessage ? [] : message.images.map(({ url }) => url);
  });
  expect(sent.toSorted()).toEqual(IMAGES.map((id) => `https://host.example/${id}.jpg`).toSorted());
});

test('a part whose connection breaks in the middle is requested again', async () => {
  let broken = 0;
  network.intercept(async (call, pass, _cut, answer) => {
    if (call !== 'GET' || broken === 3) return pass();
    broken++;
    // Fewer bytes than it says.
    answer({ status: 200, headers: { 'content-length': '1000', connection: 'close' }, body: '{"id":' });
  });
  const { stdout, stderr, code } = await run('results', 'cats');
  expect({ stderr, code }).toEqual({ stderr: expect.not.stringContaining('bug'), code: 0 });
  expect(stdout.trimEnd().split('\n')).toHaveLength(IMAGES.length);
  expect(broken).toBe(3);
});
