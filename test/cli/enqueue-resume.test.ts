import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { parseMessage, UnreadableMessage } from '../../shared/contract/message.ts';
import { readJob } from '../../shared/jobs/job-store.ts';
import { MAIN, runCommand } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { startTestAws, type TestAws } from '../support/test-aws.ts';

const IMAGES = 20_000;

let aws: TestAws;
let folder: TemporaryFolder;
beforeAll(async () => {
  [aws, folder] = await Promise.all([startTestAws(), createTemporaryFolder()]);
});
afterAll(async () => {
  await aws.stop();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => aws.clear());

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `https://host.example/${index}.jpg`);
}

/** Every image on the queue, as often as it is there. */
function idsInQueue(): string[] {
  return aws.queued().flatMap(({ body }) => {
    const message = parseMessage(body);
    if (message instanceof UnreadableMessage) throw new Error(message.reason);
    return message.images.map(({ id }) => id);
  });
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
  'a job killed %s is resumed to just the images of its source',
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
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('begun with other images') });
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
