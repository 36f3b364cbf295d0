import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { startBrowser } from '../../../testkit/browser.ts';
import type { CommandRun } from '../../support/command.ts';
import { LABELS, MATERIALS, teachTests } from './teach-tests.ts';

const PHOTOS = join(import.meta.dirname, '../../../samples/photos');
/** Where screenshots go for who wants to look at them. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

const { images, at, teach } = await teachTests();

describe('a table with every kind of problem with photos', () => {
  const HOSTILE = '<img src=x onerror=alert(1)>';
  let run: CommandRun;
  let report: string;

  beforeAll(async () => {
    await cp(join(MATERIALS, 'brick'), at('walls'), { recursive: true });
    const rows = LABELS.slice(0, 2).flatMap((label) =>
      Array.from({ length: 8 }, (_, index) => `${join(MATERIALS, label, `${index + 11}.jpg`)},${label}`),
    );
    const brick = await readFile(join(MATERIALS, 'brick/01.jpg'));
    await writeFile(at('small.jpg'), await sharp(brick).resize(90).jpeg({ quality: 70 }).toBuffer());
    await writeFile(at('mirrored.jpg'), await sharp(brick).flop().jpeg().toBuffer());
    await writeFile(at(`${HOSTILE}.jpg`), await readFile(join(PHOTOS, 'rocket.jpg')));
    rows.push(
      'walls/01.jpg,brick',
      'walls/02.jpg,brick',
      `${join(MATERIALS, 'brick/02.jpg')},brick`,
      'small.jpg,brick',
      'mirrored.jpg,grass',
      `${HOSTILE}.jpg,${HOSTILE}`,
      `${join(PHOTOS, 'coffee.jpg')},${HOSTILE}`,
      `${images.url('/photos/chelsea.jpg?signature=secret')},${HOSTILE}`,
      `${images.url('/status/404')},grass`,
      `${join(PHOTOS, 'not-an-image.jpg')},grass`,
      'nowhere.jpg,grass',
    );
    await writeFile(at('table.csv'), `photo,label\n${rows.join('\n')}\n`);
    const options = ['--allow-host', images.host, '--report', at('table.html'), '--json'];
    run = await teach(at('table.csv'), 'table-model', ...options);
    report = await readFile(at('table.html'), 'utf8');
  });

  test('trains a model with the others, lists the failed ones with their codes, and exits with 3', () => {
    const { failures, ...result } = JSON.parse(run.stdout);
    expect(run.code).toBe(3);
    expect(failures.map(({ photo, error }: { photo: string; error: { code: string } }) => [photo, error.code])).toEqual(
      [
        [images.url('/status/404'), 'not_found'],
        [join(PHOTOS, 'not-an-image.jpg'), 'not_an_image'],
        ['nowhere.jpg', 'not_found'],
      ],
    );
    expect(result.labels.map(({ label }: { label: string }) => label)).toEqual([HOSTILE, 'brick', 'grass']);
    expect(result.model).toEqual({
      path: at('table-model'),
      name: 'table-model',
      version: expect.stringMatching(/^[0-9a-f]{12}$/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('finds copies, photos that are nearly the same, and labels with few photos', () => {
    const { copies, nearlyTheSame, warnings } = JSON.parse(run.stdout);
    expect(copies).toEqual([{ photo: join(MATERIALS, 'brick/02.jpg'), of: 'walls/02.jpg', label: 'brick' }]);
    const pairs = nearlyTheSame.map(({ photos }: { photos: { photo: string }[] }) =>
      photos.map(({ photo }) => photo).sort(),
    );
    expect(pairs).toContainEqual(['small.jpg', 'walls/01.jpg']);
    expect(pairs).toContainEqual(['mirrored.jpg', 'walls/01.jpg']);
    expect(warnings).toEqual([
      { code: 'few_photos', message: expect.stringMatching(/\(3\), grass \(9\): fewer than 10 different photos/) },
      { code: 'alike_under_two_labels', message: expect.stringContaining('mirrored.jpg') },
    ]);
  });

  test('shows them on a self-contained page, with names as text', async () => {
    expect(report).not.toContain('<img src=x');
    expect(report).not.toContain('signature=secret');
    expect(report).not.toContain('<script');
    const problems: string[] = [];
    const browser = await startBrowser();
    for (const [width, colorScheme] of [
      [1280, 'light'],
      [390, 'light'],
      [1280, 'dark'],
      [390, 'dark'],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      page.on('console', (message) => problems.push(message.text()));
      page.on('dialog', (dialog) => problems.push(dialog.message()));
      page.on('request', (request) => {
        if (!/^(file|data):/.test(request.url())) problems.push(request.url());
      });
      await page.goto(pathToFileURL(at('table.html')).href);
      await page.evaluate('for (const image of document.images) image.loading = "eager"');
      await page.waitForFunction('[...document.images].every((image) => image.complete && image.naturalWidth === 240)');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(await page.evaluate('document.images.length')).toBeGreaterThan(12);
      expect(await page.locator('.confusion td.right').count()).toBe(3);
      if (SCREENSHOTS !== undefined) {
        await mkdir(SCREENSHOTS, { recursive: true });
        await page.screenshot({ path: join(SCREENSHOTS, `teach-${width}-${colorScheme}.png`), fullPage: true });
      }
      await page.close();
    }
    await browser.close();
    expect(problems).toEqual([]);
  });
});

test('a file under two labels is an error that names both, and no model is written', async () => {
  for (const label of ['one', 'two']) {
    await mkdir(at(`twice/${label}`), { recursive: true });
    for (const name of ['01.jpg', '02.jpg']) await cp(join(MATERIALS, 'grass', name), at(`twice/${label}/${name}`));
  }
  const { code, stdout, stderr } = await teach(at('twice'), 'twice-model');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(
    'expected each photo under one label, got the same file under two: one/01.jpg (one) and two/01.jpg (two); ',
  );
  await expect(readdir(at('twice-model'))).rejects.toThrow('ENOENT');
});

test('a label without any readable photo is an error with the reasons', async () => {
  await writeFile(
    at('unread.csv'),
    LABELS.flatMap((label) => [1, 2].map((n) => `${join(MATERIALS, label, `0${n}.jpg`)},${label}\n`)).join('') +
      'a.jpg,cats\nb.jpg,cats\n',
  );
  const { code, stderr } = await teach(at('unread.csv'), 'unread-model');
  expect(stderr).toContain(
    'expected at least two different photos per label that can be read, got 0 for "cats"; of 2 that cannot be read:\n' +
      '  a.jpg: not_found: no such file\n  b.jpg: not_found: no such file\n',
  );
  expect(code).toBe(1);
});
