/**
 * `npm run screenshots`: the pictures of docs/dashboard.md, of a real service on this machine with real workers. It takes some
 * minutes, since the queue has to have been busy for a while.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import sharp from 'sharp';
import { startBrowser } from '../../../testkit/browser.ts';
import { eventually } from '../../../testkit/eventually.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { MAIN, type RunningCommand, runCommand, startCommand } from '../../support/command.ts';
import { allShown } from './open-page.ts';

const PICTURES = join(import.meta.dirname, '../../../docs/pictures');
const DESKTOP: BrowserContextOptions = { viewport: { width: 1440, height: 1000 } };
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
const MINUTES = 60_000;
const PHOTOS = ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg', 'astronaut.jpg', 'coffee.webp', 'phone-orientation-6.jpg'];
/** What becomes of every tenth image of a job that has failures: not found, forbidden, not an image, cut off. */
const BAD = ['/late', '/status/404', '/page', '/status/403', '/late', '/empty'];

/** Images that are not there when their job runs, and are when somebody looks at its dead letters. */
let areLateOnesThere = false;

await using images = await startImageServer('127.0.0.1', {
  late: ({ response, rest: [name = ''] }) => {
    const photo = PHOTOS[Number.parseInt(name, 10) % PHOTOS.length];
    if (areLateOnesThere) response.writeHead(302, { location: `/photos/${photo}` }).end();
    else response.writeHead(404).end();
  },
});
await using folder = await createTemporaryFolder();
await mkdir(PICTURES, { recursive: true });
const service = startCommand(
  [
    'local',
    '--port',
    '0',
    '--api-port',
    '0',
    '--allow-host',
    images.host,
    '--state-dir',
    folder.path,
    '--allow-changes',
  ],
  {},
);
try {
  await service.says(/RESULTS_BUCKET/);
  await makePictures(addressIn(service), variablesIn(service));
} finally {
  service.interrupt();
  await service.ended;
}

async function makePictures(address: string, environment: Record<string, string>): Promise<void> {
  const enqueue = async (job: string, urls: string[]) => {
    const file = `${job}.txt`;
    await writeFile(join(folder.path, file), urls.join('\n'));
    // In the folder of the list, so that its name is what the page shows as the source.
    await promisify(execFile)(process.execPath, [MAIN, 'enqueue', file, '--job', job], {
      cwd: folder.path,
      env: environment,
    });
  };
  const ended = (job: string) =>
    eventually(
      `the end of ${job}`,
      async () => {
        await delay(1_000);
        const { stdout } = await runCommand(['status', job, '--json'], { environment });
        return JSON.parse(stdout).state.startsWith('completed');
      },
      5 * MINUTES,
    );
  const browser = await startBrowser();
  try {
    // Messages are counted from when somebody looks.
    const visitor = await browser.newPage(DESKTOP);
    await visitor.goto(`${address}#/?range=15m`);
    await enqueue('autumn-catalogue', photos('autumn', 2_000));
    await ended('autumn-catalogue');
    await delay(30_000);
    await enqueue('press-photos', withFailures(photos('press', 900)));
    await ended('press-photos');
    await delay(40_000);
    await enqueue('spring-catalogue', photos('spring', 3_000));
    await ended('spring-catalogue');
    await delay(20_000);
    // Of these, some have to be tried again.
    await enqueue('winter-catalogue', [
      ...photos('unsteady', 300, '/status/503'),
      ...withFailures(photos('winter', 9_000), 40),
    ]);
    await delay(75_000);
    areLateOnesThere = true;
    await allPictures(browser, address);
  } finally {
    await browser.close();
  }
}

async function allPictures(browser: Browser, address: string): Promise<void> {
  const take = (name: string, path: string, options: BrowserContextOptions, isWhole = false) =>
    picture(browser, { name, address: `${address}${path}`, options, isWhole });
  for (const colorScheme of ['light', 'dark'] as const) {
    await take(`dashboard-desktop-${colorScheme}`, '#/?range=15m', { ...DESKTOP, colorScheme }, true);
    await take(`dashboard-phone-${colorScheme}`, '#/?range=15m', { ...PHONE, colorScheme });
  }
  await take('dashboard-jobs', '#/jobs', { viewport: { width: 1440, height: 520 } });
  await take('dashboard-job', '#/jobs/press-photos', DESKTOP, true);
  await take('dashboard-dead-letters', '#/dead-letters?job=press-photos', DESKTOP);
}

/** `isWhole`: as high as the view is. */
type Picture = { name: string; address: string; options: BrowserContextOptions; isWhole: boolean };

/** As small as a picture of plain areas can be. */
async function picture(browser: Browser, { name, address, options, isWhole }: Picture): Promise<void> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  await page.goto(address);
  await page.locator('.link.live').waitFor();
  await page.locator('main .panel').first().waitFor();
  await allShown(page);
  // Thumbnails come one after the other.
  await delay(4_000);
  const shot = await page.screenshot({ fullPage: isWhole });
  const small = await sharp(shot)
    .png({ palette: true, quality: 60, effort: 10, dither: 0 })
    .toFile(join(PICTURES, `${name}.png`));
  process.stderr.write(`${name}.png: ${Math.round(small.size / 1_000)} kB\n`);
  await context.close();
}

function photos(job: string, count: number, path = '/photos'): string[] {
  return Array.from({ length: count }, (_, index) => {
    const photo = PHOTOS[(index * 7 + (index % 5)) % PHOTOS.length];
    return images.url(`${path}/${photo}?${job}=${index}`);
  });
}

function withFailures(urls: readonly string[], every = 10): string[] {
  return urls.map((url, index) =>
    index % every === 3 ? images.url(`${BAD[((index / every) % BAD.length) | 0]}/${index}.jpg`) : url,
  );
}

function addressIn({ stderr }: RunningCommand): string {
  const address = /the dashboard is at (\S+)/.exec(stderr())?.[1];
  if (address === undefined) throw new Error(`expected the address of the dashboard, got ${stderr()}`);
  return address;
}

function variablesIn({ stdout }: RunningCommand): Record<string, string> {
  return Object.fromEntries(
    Array.from(stdout().matchAll(/^export ([A-Z_0-9]+)=(.*)$/gm), ([, name, value]) => [name, value]),
  );
}
