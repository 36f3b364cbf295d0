import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { ImageRef } from '../../../shared/contract/message.ts';
import { createJobTarget } from '../../../shared/jobs/job-target.ts';
import { purgeJob } from '../../../shared/jobs/purge-job.ts';
import { jobSettingsFrom } from '../../../shared/settings.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { dashboardTests } from '../../support/dashboard-tests.ts';
import { enqueueImages } from '../../support/enqueue-images.ts';
import { type PrometheusFamily, parsePrometheus, sampleOf } from '../../support/prometheus-text.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { catsButMissing, workQueueEmpty } from '../../support/stub-worker.ts';
import { startTestDashboard, type TestDashboard } from '../../support/test-dashboard.ts';

const [aws] = await sharedByTests(startTestAws());
const dashboard = dashboardTests(aws);

async function enqueued(job: string, count: number, missing: number): Promise<void> {
  const images = Array.from({ length: count }, (_, index): ImageRef => {
    const id = `${index < missing ? 'missing' : 'image'}-${index}`;
    return { id, url: `https://host.example/${id}.jpg` };
  });
  await enqueueImages(aws.target, images, { job });
}

async function scraped(from: TestDashboard = dashboard): Promise<Map<string, PrometheusFamily>> {
  const response = await from.get('/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parsePrometheus(await response.text());
}

test('a scrape without an open page includes the queue, the images of all jobs, and the jobs', async () => {
  await enqueued('cats', 40, 3);
  await enqueued('dogs', 20, 0);
  await workQueueEmpty(aws, catsButMissing, 4);
  const families = await scraped();
  expect(sampleOf(families, 'labelqueue_queue_messages', { state: 'waiting' })).toBe(2);
  expect(sampleOf(families, 'labelqueue_queue_up')).toBe(1);
  expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'classified' })).toBe(37);
  expect(sampleOf(families, 'labelqueue_images_total', { outcome: 'failed', code: 'not_found' })).toBe(3);
  expect(sampleOf(families, 'labelqueue_job_images', { job_name: 'dogs', state: 'remaining' })).toBe(20);
});

test('a scrape polls once, and SQS and S3 get no request afterwards', async () => {
  await enqueued('cats', 20, 0);
  await scraped();
  let requests = 0;
  const counted = (next: (args: unknown) => unknown) => (args: unknown) => {
    requests++;
    return next(args);
  };
  aws.target.sqs.middlewareStack.add(counted as never, { step: 'initialize', name: 'counted' });
  // A page that is open looks every 20 ms.
  await delay(300);
  aws.target.sqs.middlewareStack.remove('counted');
  expect(requests).toBe(0);
});

test('totals do not fall when a job is purged', async () => {
  await enqueued('cats', 20, 0);
  await workQueueEmpty(aws, catsButMissing, 2);
  const classified = async () => sampleOf(await scraped(), 'labelqueue_images_total', { outcome: 'classified' });
  expect(await classified()).toBe(20);
  await purgeJob(aws.target, 'cats');
  await enqueued('mice', 10, 0);
  expect(await classified()).toBe(20);
});

test('while SQS does not answer, a scrape says so, and leaves out unknown figures', async () => {
  const nowhere = { ...aws.clientConfig, endpoint: 'http://127.0.0.1:9', maxAttempts: 1 };
  await using away = await startTestDashboard(createJobTarget(jobSettingsFrom(aws.environment), nowhere));
  const families = await scraped(away);
  expect(sampleOf(families, 'labelqueue_queue_up')).toBe(0);
  expect(families.get('labelqueue_queue_messages')?.samples ?? []).toEqual([]);
}, 30_000);
