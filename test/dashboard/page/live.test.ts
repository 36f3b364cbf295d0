import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { exporterOf } from '../../../cli/dashboard/dashboard-export.ts';
import { type DashboardServer, startDashboard } from '../../../dashboard/server/dashboard-server.ts';
import { FUNCTION_TIMEOUT_SECONDS } from '../../../shared/contract/limits.ts';
import type { JobStatus } from '../../../shared/jobs/job-status.ts';
import { classifierSettingsFrom } from '../../../shared/settings.ts';
import { startBrowser } from '../../../testkit/browser.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { type ImageServer, startImageServer } from '../../../testkit/image-server.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { runCommand } from '../../support/command.ts';
import { type InterceptedAws, startInterceptedAws } from '../../support/intercepted-aws.ts';
import { startWorkerFleet, type WorkerFleet } from '../../support/worker-fleet.ts';
import { accessibilityProblems, figure, openPage, type WatchedPage } from './open-page.ts';

const CLASSIFIED = 24;
const LOST = 3;

let network: InterceptedAws;
let images: ImageServer;
let fleet: WorkerFleet;
let browser: Browser;
let folder: TemporaryFolder;
let dashboard: DashboardServer;
/** Whether the images are there that were not at first. */
let areFound = false;

beforeAll(async () => {
  const lost = {
    lost: ({ response }: { response: import('node:http').ServerResponse }) => {
      if (!areFound) return void response.writeHead(404).end();
      response.writeHead(302, { location: '/photos/coffee.jpg' }).end();
    },
  };
  [network, images, browser, folder] = await Promise.all([
    startInterceptedAws(),
    startImageServer('127.0.0.1', lost),
    startBrowser(),
    createTemporaryFolder(),
  ]);
  fleet = await startWorkerFleet(network.aws, {
    workers: 1,
    timeoutSeconds: FUNCTION_TIMEOUT_SECONDS,
    environment: { ALLOWED_HOSTS: images.host, RETRY_BASE_SECONDS: '0.5' },
  });
  dashboard = await start(0);
});
afterAll(async () => {
  await browser.close();
  await dashboard.stop();
  await fleet[Symbol.asyncDispose]();
  await Promise.all([network[Symbol.asyncDispose](), images.close()]);
  await folder[Symbol.asyncDispose]();
});

function start(port: number): Promise<DashboardServer> {
  return startDashboard({
    target: network.intercepted,
    environment: { name: 'this machine', kind: 'local', region: null, endpoint: null },
    version: '0.0.0',
    allowsChanges: true,
    host: '127.0.0.1',
    port,
    classifier: classifierSettingsFrom({ ALLOWED_HOSTS: images.host }),
    exportOutcomes: exporterOf(network.intercepted),
    pauseMs: 200,
    onUnexpectedError: (error) => {
      throw error;
    },
  });
}

function open(path: string): Promise<WatchedPage> {
  return openPage(browser, new URL(path, dashboard.address).href);
}

/** Photos, one that is there at the second time, and some that are lost. */
async function enqueue(job: string): Promise<void> {
  const urls = [
    ...Array.from({ length: CLASSIFIED - 1 }, (_, index) =>
      images.url(`/photos/chelsea.jpg?signature=secret-${index}`),
    ),
    images.url(`/once/503/${job}`),
    ...Array.from({ length: LOST }, (_, index) => images.url(`/lost/${index}.jpg?signature=secret`)),
  ];
  const file = join(folder.path, `${job}.txt`);
  await writeFile(file, `${urls.join('\n')}\n`);
  const { code, stderr } = await runCommand(['enqueue', file, '--job', job], { environment: network.aws.environment });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
}

async function status(job: string): Promise<JobStatus> {
  const { stdout } = await runCommand(['status', job, '--json'], { environment: network.aws.environment });
  return JSON.parse(stdout);
}

test('a job runs, retries, fails, and is redriven from the page', async () => {
  const { page, problems } = await open('/#/jobs');
  await page.getByText('There are no jobs yet.').waitFor();

  await enqueue('cats');
  await page.getByRole('link', { name: 'cats' }).waitFor();
  await page.getByText('completed, some failed').waitFor({ timeout: 60_000 });
  expect(images.requests('/once/503/cats')).toBe(2);

  await page.getByRole('link', { name: 'cats' }).click();
  await eventually('the figures of the job', async () => (await figure(page, 'Failed')) === `${LOST} images`);
  expect(await figure(page, 'Classified')).toBe(`${CLASSIFIED} images`);
  await page.locator('.thumbnails img').first().waitFor();
  await eventually('a picture', () =>
    page.evaluate<boolean>('document.querySelector(".thumbnails img").naturalWidth === 240'),
  );
  expect(await accessibilityProblems(page)).toEqual([]);

  await page.getByRole('link', { name: 'not_found' }).click();
  await page
    .locator('.letter')
    .nth(LOST - 1)
    .waitFor();
  expect(await page.locator('main').textContent()).not.toContain('secret');
  expect(await page.locator('.letter-reason').first().textContent()).toContain('expected status 200, got 404');
  expect(await accessibilityProblems(page)).toEqual([]);

  areFound = true;
  await page.getByRole('button', { name: `Redrive ${LOST}…` }).click();
  const dialog = page.getByRole('dialog');
  const button = dialog.getByRole('button', { name: `Redrive ${LOST}` });
  expect(await button.isDisabled()).toBe(true);
  expect(await accessibilityProblems(page)).toEqual([]);
  await dialog.getByRole('textbox').fill(String(LOST));
  await button.click();
  await page.getByRole('dialog', { name: 'Done' }).waitFor();
  expect(await dialog.textContent()).toContain(`${LOST} images sent again`);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByText('There are no dead letters.').waitFor();

  await page.getByRole('link', { name: 'Jobs' }).click();
  await page.locator('.state', { hasText: /^completed$/ }).waitFor({ timeout: 60_000 });
  expect(await status('cats')).toMatchObject({ state: 'completed', classified: CLASSIFIED + LOST, failed: 0 });
  expect(problems).toEqual([]);
  await page.context().close();
});

test('the figures of a job are those of `status --json`', async () => {
  areFound = false;
  await enqueue('figures');
  const { page } = await open('/#/jobs/figures');
  await page.getByText('completed, some failed').waitFor({ timeout: 60_000 });
  const { classified, failed, remaining, costSoFarUsd, failedByCode } = await status('figures');
  await eventually('the last count', async () => (await figure(page, 'Failed')) === `${failed} images`);
  expect(await figure(page, 'Classified')).toBe(`${classified} images`);
  expect(await figure(page, 'Remaining')).toBe(`${remaining} images`);
  expect(await figure(page, 'Duration')).toMatch(/^\d+ (s|min)/);
  expect(await figure(page, 'Cost so far')).toBe(`$${costSoFarUsd.toFixed(4)}`);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'JSON lines of results' }).click(),
  ]);
  const lines = (await text(await download.createReadStream())).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).job)).toEqual(Array(classified).fill('figures'));
  expect(await page.locator('.bars.bad td.number').allTextContents()).toEqual([
    `${failedByCode['not_found']} · 100.0 %`,
  ]);
  await page.context().close();
});

describe('during an outage of', () => {
  test('SQS, the page shows since when, keeps its figures, and recovers by itself', async () => {
    const { page } = await open('/#/');
    await eventually('figures', async () => (await figure(page, 'Remaining')).startsWith('0'));
    const arrived = page.evaluate('globalThis.neverReloaded = true');
    await arrived;
    network.intercept(async (call, pass, cut) => (isOfSqs(call) ? cut() : pass()));
    const banner = page.locator('.calm-notice', { hasText: 'SQS does not answer since' });
    await banner.waitFor();
    expect(await banner.textContent()).toContain('continues automatically');
    expect(await figure(page, 'Remaining')).toMatch(/^0/);
    expect(await accessibilityProblems(page)).toEqual([]);
    network.intercept((_call, pass) => pass());
    await banner.waitFor({ state: 'detached' });
    expect(await page.evaluate('globalThis.neverReloaded')).toBe(true);
    await page.context().close();
  });

  test("the dashboard's own server, the page says so, and is live again afterwards", async () => {
    const { page } = await open('/#/jobs');
    await page.getByRole('link', { name: 'figures' }).waitFor();
    const { port } = new URL(dashboard.address);
    await dashboard.stop();
    await page.locator('.calm-notice', { hasText: "The dashboard's server does not answer since" }).waitFor();
    expect(await page.getByRole('link', { name: 'figures' }).count()).toBe(1);
    dashboard = await start(Number(port));
    await page.locator('.link.live').waitFor({ timeout: 30_000 });
    await page.locator('.calm-notice').waitFor({ state: 'detached' });
    await page.context().close();
  });
});

const MAX_BYTES = 200_000;

test('the page weighs less than 200 kB, compressed', async () => {
  const { page } = await open('/#/');
  const bytes = await page.evaluate<number>(`
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter(({ name }) => !name.includes('/api/'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(MAX_BYTES);
  await page.context().close();
});

/** Actions of SQS have names; requests to S3 have methods. */
function isOfSqs(call: string): boolean {
  return /[a-z]/.test(call);
}

test('deletes the dead letters that were shown, and none that arrived meanwhile', async () => {
  const { page } = await open('/#/dead-letters?job=figures');
  await page
    .locator('.letter')
    .nth(LOST - 1)
    .waitFor();
  await page.getByRole('button', { name: `Delete ${LOST}…` }).click();
  const dialog = page.getByRole('dialog');
  // Meanwhile another one comes that matches the filter.
  const body = { v: 1, job: 'figures', attempt: 1, images: [{ id: 'late', url: 'https://late.example/a.jpg' }] };
  await network.aws.target.sqs.send(await sendToDeadLetters(body));
  await dialog.getByRole('textbox').fill(String(LOST));
  await dialog.getByRole('button', { name: `Delete ${LOST}` }).click();
  await page.getByRole('dialog', { name: 'Done' }).waitFor();
  expect(network.aws.deadLetters().map(({ body }) => JSON.parse(body).images[0].id)).toEqual(['late']);
  await page.context().close();
});

async function sendToDeadLetters(body: object) {
  const { SendMessageCommand } = await import('@aws-sdk/client-sqs');
  return new SendMessageCommand({ QueueUrl: network.aws.target.deadLetterQueueUrl, MessageBody: JSON.stringify(body) });
}
