import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, expect, test } from '@jest/globals';
import type { JobDescription } from '../../shared/contract/job-description.ts';
import type { QueueMessage } from '../../shared/contract/message.ts';
import { MalformedMessage, parseMessage } from '../../shared/contract/parse-message.ts';
import { readJob, writeJob } from '../../shared/jobs/job-store.ts';
import { eventually } from '../../testkit/eventually.ts';
import { MAIN, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';

const IMAGES = 20_000;

const { aws, folder } = await commandTests();
beforeEach(() => aws.clear());

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `https://host.example/${index}.jpg`);
}

/** Every image on the queue, as often as it is there. */
function idsInQueue(): string[] {
  return aws.queued().flatMap(({ body }) => {
    const message = parseMessage(body);
    if (message instanceof MalformedMessage) throw new Error(message.reason);
    return message.images.map(({ id }) => id);
  });
}

/** How many images each message on the queue has, the largest first. */
function sizesInQueue(): number[] {
  const sizes = aws.queued().map(({ body }) => (parseMessage(body) as QueueMessage).images.length);
  return sizes.toSorted((one, other) => other - one);
}

/** Starts the job and kills it, with no chance to clean up, once `reached` holds. */
async function killWhen(args: string[], reached: () => boolean | Promise<boolean>): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'enqueue', ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...aws.environment },
    stdio: 'ignore',
  });
  const ended = once(child, 'close');
  try {
    await eventually('the moment to kill', reached, 60_000);
  } finally {
    child.kill('SIGKILL');
  }
  // Otherwise it came to its end first, and nothing was interrupted.
  expect(await ended).toEqual([null, 'SIGKILL']);
}

test.each<[moment: string, reached: () => boolean | Promise<boolean>]>([
  ['before job.json says that anything was sent', () => aws.queued().length > 0],
  ['after job.json said how far it was', async () => ((await readJob(aws.target, 'killed'))?.sent ?? 0) > 0],
])(
  'a job killed %s is resumed to exactly the images of its source',
  async (_moment, reached) => {
    const source = await folder.write('killed.txt', `${numbered(IMAGES).join('\n')}\n`);
    const other = await folder.write('other.txt', `${numbered(IMAGES - 1).join('\n')}\n`);
    const options = ['--job', 'killed', '--per-message', '2'];
    await killWhen([source, ...options], reached);
    const before = idsInQueue();
    const sentBefore = new Set(before);
    const certain = (await readJob(aws.target, 'killed'))?.sent ?? -1;
    expect(before.length).toBeLessThan(IMAGES);
    expect(sentBefore.size).toBe(before.length);
    expect(numbered(certain).filter((id) => !sentBefore.has(id))).toEqual([]);

    const { environment } = aws;
    const refused = await runCommand(['enqueue', other, ...options, '--resume'], { environment });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('started with other images') });
    expect(idsInQueue()).toHaveLength(before.length);

    const resumed = await runCommand(['enqueue', source, ...options, '--resume'], { environment });
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^job killed: 20000 images in /) });
    const after = idsInQueue();
    expect([...new Set(after)].sort()).toEqual(numbered(IMAGES).sort());
    // What was certain is not sent again.
    expect(after).toHaveLength(before.length + IMAGES - certain);
    expect(await readJob(aws.target, 'killed')).toMatchObject({ state: 'enqueued', sent: IMAGES, images: IMAGES });
  },
  180_000,
);

test('a resumed job keeps its number of images per message', async () => {
  const source = await folder.write('old.txt', `${numbered(250).join('\n')}\n`);
  const run = (...args: string[]) => runCommand(['enqueue', source, '--job', 'old', ...args], aws);
  expect(await run()).toMatchObject({ code: 0, stdout: 'job old: 250 images in 8 messages\n' });
  const whole = await readJob(aws.target, 'old');
  aws.clear();
  // As an older release left it, which put 100 images into each message.
  await writeJob(aws.target, {
    ...(whole as JobDescription),
    state: 'failed',
    perMessage: 100,
    sent: 100,
    messages: 1,
  });
  expect(await run('--resume')).toMatchObject({ code: 0, stdout: 'job old: 250 images in 3 messages\n' });
  expect(sizesInQueue()).toEqual([100, 50]);
  expect(await readJob(aws.target, 'old')).toMatchObject({
    perMessage: 100,
    state: 'enqueued',
    sent: 250,
    messages: 3,
  });
});

test('a resumed job has the same messages as one that was not interrupted', async () => {
  const source = await folder.write('same.txt', `${numbered(20_000).join('\n')}\n`);
  const run = (...args: string[]) => runCommand(['enqueue', source, '--job', 'same', ...args], aws);
  expect(await run()).toMatchObject({ code: 0, stdout: 'job same: 20000 images in 313 messages\n' });
  const atOnce = aws.queued().map(({ body }) => body);
  const whole = await readJob(aws.target, 'same');
  aws.clear();
  await writeJob(aws.target, { ...(whole as JobDescription), state: 'failed', sent: 6_400, messages: 100 });
  expect(await run('--resume')).toMatchObject({ code: 0, stdout: 'job same: 20000 images in 313 messages\n' });
  const after = new Set(aws.queued().map(({ body }) => body));
  expect(after.size).toBe(213);
  expect(atOnce.filter((body) => after.has(body))).toHaveLength(213);
});
