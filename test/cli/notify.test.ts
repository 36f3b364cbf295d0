import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import { readJob } from '../../shared/jobs/job-store.ts';
import { eventually } from '../../testkit/eventually.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { runCommand } from '../support/command.ts';
import { anyRun, createAnnouncer, describeRun, idsOf, writeResults } from '../support/ended-run.ts';
import { startInterceptedAws } from '../support/intercepted-aws.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const SLOW_MS = 1_200;

const [network, folder] = await sharedByTests(startInterceptedAws(), createTemporaryFolder());
let listings: number;
const source = await folder.write('cats.txt', 'https://host.example/a.jpg\n');
beforeEach(() => {
  network.aws.clear();
  listings = 0;
  network.intercept(async (call, pass) => {
    if (call === 'LIST') {
      listings++;
      await delay(SLOW_MS);
    }
    return pass();
  });
});

test('enqueue --notify stores the webhook, and requests a check of the end', async () => {
  const url = 'https://hooks.example/labels?team=1';
  const { code } = await runCommand(['enqueue', source, '--job', 'cats', '--notify', url], {
    environment: network.environment,
  });
  expect(code).toBe(0);
  const job = await readJob(network.aws.target, 'cats');
  expect(job).toMatchObject({ notify: url });
  const { delayed } = network.aws.server.inspectQueue('labelqueue-job-ends.fifo')?.messages ?? { delayed: [] };
  expect(delayed.map(({ body }) => JSON.parse(body))).toEqual([{ v: 1, job: 'cats', run: job?.run }]);
});

test.each(['hooks.example', 'ftp://hooks.example/', 'https://me:secret@hooks.example/'])(
  'enqueue --notify %s is refused before anything is sent',
  async (url) => {
    const { code, stderr } = await runCommand(['enqueue', source, '--notify', url], {
      environment: network.environment,
    });
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected an http or https URL'),
    });
    expect(network.aws.queued()).toEqual([]);
  },
);

test('wait ends by the record of the end, and counts a job that takes long twice', async () => {
  const of = anyRun();
  const { target } = network.aws;
  await describeRun(target, of, idsOf(4));
  await writeResults(target, of, idsOf(3));
  const waiting = runCommand(['wait', of.job, '--json'], { environment: network.environment });
  // Once it has counted, it would count again after a second and then as often as counting takes.
  await eventually('the first count', () => listings === 2, 60_000);
  await delay(5 * SLOW_MS);
  await writeResults(target, of, ['image-3']);
  await createAnnouncer(target).look(of);
  const { code, stdout } = await waiting;
  expect({ code, status: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    status: { state: 'completed', classified: 4 },
  });
  expect(listings).toBe(4);
}, 120_000);
