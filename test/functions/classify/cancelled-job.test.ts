import { beforeEach, expect, test } from '@jest/globals';
import { packMessages } from '../../../shared/contract/pack-messages.ts';
import { cancelJob } from '../../../shared/jobs/job-store.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { startWorkerFleet } from '../../support/worker-fleet.ts';

const [aws, server] = await sharedByTests(startTestAws(), startImageServer());

beforeEach(() => aws.clear());

test('the images of a cancelled job are acknowledged without being fetched, those of others are classified', async () => {
  await cancelJob(aws.target, { job: 'cancelled' }, 'test');
  for (const job of ['cancelled', 'wanted']) {
    const url = server.url(`/photos/coffee.jpg?${job}`);
    for await (const { body } of packMessages({ job, attempt: 1 }, [{ id: job, url }])) await aws.send(body);
  }
  await using _fleet = await startWorkerFleet(aws, {
    workers: 1,
    timeoutSeconds: 60,
    environment: { ALLOWED_HOSTS: server.host },
  });
  await eventually('an empty queue', () => aws.queued().length === 0, 60_000);
  expect(await aws.results('wanted')).toHaveLength(1);
  expect([await aws.results('cancelled'), await aws.failures('cancelled'), aws.deadLetters()]).toEqual([[], [], []]);
  expect(server.requests('/photos/coffee.jpg')).toBe(1);
}, 120_000);
