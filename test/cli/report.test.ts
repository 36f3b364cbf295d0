import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { startBrowser } from '../../testkit/browser.ts';
import { eventually } from '../../testkit/eventually.ts';
import { startImageServer } from '../../testkit/image-server.ts';
import { describeJob, failure, result, writeParts } from '../../testkit/job-outcomes.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

/** Where screenshots go for whoever wants to look at them. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

const HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'&\u202Egnp.exe';

const { aws, folder } = await commandTests();
const [images] = await sharedByTests(startImageServer());

afterEach(() => aws.clear());

function report(...options: string[]): Promise<CommandRun> {
  const file = join(folder.path, 'report.html');
  return runCommand(['report', 'cats', '--out', file, ...options], { environment: aws.environment });
}

function reportText(): Promise<string> {
  return readFile(join(folder.path, 'report.html'), 'utf8');
}

const PHOTOS: [label: string, photo: string, weight: number][] = [
  ['Egyptian cat', 'chelsea.jpg', 9],
  ['espresso', 'coffee.jpg', 7],
  ['space shuttle', 'rocket.jpg', 5],
  ['military uniform, with a name that is longer than a chart has room for', 'astronaut.jpg', 4],
  ['missile', 'shuttle-model.tiff', 3],
  ['mosque', 'phone-orientation-6.jpg', 2],
  ['tabby, tabby cat', 'chelsea.avif', 2],
  [HOSTILE, 'chelsea-alpha.png', 1],
];
const CODES: ErrorCode[] = ['not_found', 'not_found', 'not_found', 'timeout', 'timeout', 'not_an_image', 'forbidden'];

/** Some thousand images over some minutes, hostile names among them. */
async function writeLargeJob(): Promise<void> {
  const labels = PHOTOS.flatMap((photo) => Array.from({ length: photo[2] }, () => photo));
  const results = Array.from({ length: 3_000 }, (_, index) => {
    const [label = '', photo = ''] = labels[(index * 13) % labels.length] ?? [];
    const score = 1 - ((index * 7_919) % 1_000) ** 2 / 1_300_000;
    const id = index === 0 ? HOSTILE : `https://photos.example.com/catalogue/item-${index}.jpg?signature=secret`;
    const url = images.url(`/photos/${photo}?n=${index}`);
    return result(id, { [label]: score }, { url, second: (index / 3_000) ** 1.3 * 400, sha256: `${index}` });
  });
  const failures = Array.from({ length: 180 }, (_, index) =>
    failure(`failed-${index}`, CODES[index % CODES.length] ?? 'timeout', {
      url: `https://${index % 3 === 0 ? 'slow' : 'cdn'}.example.com/${index}.jpg`,
      second: 60 + (index % 90) * 2,
    }),
  );
  await writeParts(aws.target, 'results', results);
  await writeParts(aws.target, 'failures', failures);
  await describeJob(
    aws.target,
    [...results, ...failures].map(({ id }) => id),
  );
}

describe('the page', () => {
  let browser: Browser;
  let summary: { file: object };
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  beforeEach(async () => {
    problems.length = 0;
    await writeLargeJob();
    const { code, stdout } = await report('--allow-host', images.host, '--json');
    expect(code).toBe(0);
    summary = JSON.parse(stdout);
  });
  afterAll(() => browser.close());

  /** Opens the report; whatever the page complains about, or asks the network for, is a problem. */
  async function open(options: BrowserContextOptions): Promise<Page> {
    const page = await browser.newPage(options);
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) problems.push(request.url());
    });
    await page.goto(pathToFileURL(join(folder.path, 'report.html')).href);
    return page;
  }

  async function screenshot(page: Page, name: string): Promise<void> {
    if (SCREENSHOTS === undefined) return;
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  test('shows charts and images, without browser errors, and scrolls in one direction', async () => {
    expect(summary.file).toEqual({ format: 'html', thumbnails: PHOTOS.length * 4 });
    for (const [width, colorScheme] of [
      [1280, 'light'],
      [390, 'light'],
      [1280, 'dark'],
      [390, 'dark'],
    ] as const) {
      const page = await open({ viewport: { width, height: 800 }, colorScheme });
      expect(await page.evaluate(INK_OF_CANVASES)).toEqual({
        labels: true,
        scores: true,
        timeline: true,
        errors: true,
      });
      await page.evaluate('for (const image of document.images) image.loading = "eager"');
      await page.waitForFunction('[...document.images].every((image) => image.complete && image.naturalWidth === 240)');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await screenshot(page, `${width}-${colorScheme}`);
      await page.close();
    }
    expect(problems).toEqual([]);
  });

  test('has tables in place of charts without JavaScript', async () => {
    const page = await open({ viewport: { width: 390, height: 800 }, javaScriptEnabled: false });
    expect(await page.locator('canvas:visible').count()).toBe(0);
    expect(await page.locator('table:visible').count()).toBe(5);
    expect(await page.locator('table').first().textContent()).toMatch(/Egyptian cat8\d\d2\d\.\d %/);
    await page.close();
    expect(problems).toEqual([]);
  });

  test('redraws its charts in the colours of the other scheme', async () => {
    const page = await open({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
    const colour = 'Chart.getChart("labels").data.datasets[0].backgroundColor';
    const light = await page.evaluate(colour);
    await page.emulateMedia({ colorScheme: 'dark' });
    // Not `waitForFunction`: from its second look on it needs `eval`, which the page's policy forbids.
    await eventually('the other colour', async () => (await page.evaluate(colour)) !== light);
    await page.close();
    expect(problems).toEqual([]);
  });

  test('shows names from the job as text, and no secret of a URL', async () => {
    const text = await reportText();
    expect(text.match(/<script/g)).toHaveLength(3);
    expect(text).not.toContain('onerror=alert(2)>');
    expect(text).not.toContain('\u202E');
    expect(text).not.toContain('signature=secret');
    const page = await open({});
    expect(await page.locator('h3').allTextContents()).toContainEqual(
      expect.stringContaining('<script>alert(1)</script>'),
    );
    await page.close();
    expect(problems).toEqual([]);
  });
});

/** Which canvases have something on them. */
const INK_OF_CANVASES = `Object.fromEntries([...document.querySelectorAll('canvas')].map((canvas) => [
  canvas.id,
  canvas.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0),
]))`;

test('leaves out copies and images that cannot be fetched any more, and shows the next ones', async () => {
  await writeParts(aws.target, 'results', [
    result('gone', { cat: 0.9 }, { url: images.url('/status/404'), sha256: '1' }),
    result('broken', { cat: 0.8 }, { url: images.url('/half-photo'), sha256: '2' }),
    result('shown', { cat: 0.7 }, { url: images.url('/photos/chelsea.jpg'), sha256: '3' }),
    result('copy', { cat: 0.65 }, { url: images.url('/photos/chelsea.jpg?copy'), sha256: '3' }),
    result('next', { cat: 0.6 }, { url: images.url('/photos/coffee.jpg'), sha256: '4' }),
    result('too many', { cat: 0.5 }, { url: images.url('/photos/rocket.jpg'), sha256: '5' }),
    result('no image', { dog: 0.9 }, { url: images.url('/page') }),
  ]);
  const { stdout } = await report('--allow-host', images.host, '--images', '2', '--json');
  expect(JSON.parse(stdout).file.thumbnails).toBe(2);
  const text = await reportText();
  expect(text.match(/<img /g)).toHaveLength(2);
  for (const id of ['shown', 'next']) expect(text).toContain(`<bdi>${id}</bdi>`);
});

test('fetches only from public addresses, unless a host is allowed', async () => {
  await writeParts(aws.target, 'results', [result('a', { cat: 0.9 }, { url: images.url('/photos/coffee.jpg') })]);
  const before = images.totalRequests();
  const { code, stderr } = await report();
  expect(stderr).toMatch(
    /: 0 sample images; 1 could not be fetched: 1 address_not_allowed\naddress_not_allowed: .*--allow-host 127\.0\.0\.1:\d+\n$/,
  );
  expect(images.totalRequests()).toBe(before);
  expect(code).toBe(0);
});

test('shows a job that has just begun', async () => {
  await describeJob(aws.target, ['a', 'b']);
  const { code } = await report('--images', '0');
  expect(code).toBe(0);
  const text = await reportText();
  expect(text).toContain('not completed');
  expect(text).not.toContain('<canvas');
});
