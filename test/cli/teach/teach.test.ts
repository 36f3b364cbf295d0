import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import sharp from 'sharp';
import { eventually } from '../../../testkit/eventually.ts';
import { startImageServer } from '../../../testkit/image-server.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { changedModel } from '../../classifier/model-folders.ts';
import { attribute, channelMeans, node, shape } from '../../classifier/tiny-model.ts';
import { startBrowser } from '../../support/browser.ts';
import { type CommandRun, runCommand, startCommand } from '../../support/command.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';

/** Three materials, twenty photos of each. */
const MATERIALS = join(import.meta.dirname, '../../../samples/teach');
const LABELS = ['brick', 'grass', 'gravel'];
const PHOTOS = join(import.meta.dirname, '../../../samples/photos');
/** Where screenshots go for who wants to look at them. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

/** TensorFlow looks at hundreds of views, on a machine that may be busy. */
jest.setTimeout(180_000);

const [folder, images] = await sharedByTests(
  createTemporaryFolder(),
  startImageServer('127.0.0.1', {
    material: async ({ response, rest }) => void response.end(await readFile(join(MATERIALS, ...rest))),
  }),
);

function at(name: string): string {
  return join(folder.path, name);
}

function teach(from: string, out: string, ...options: string[]): Promise<CommandRun> {
  return runCommand(['model', 'teach', from, '--out', at(out), ...options]);
}

/** The hashes of all files of a folder. */
async function hashesOf(path: string): Promise<Record<string, string>> {
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes = await Promise.all(
    files.map(async (file) => [
      file.slice(path.length + 1),
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ]),
  );
  return Object.fromEntries(hashes.sort());
}

describe('a model of three materials', () => {
  let first: CommandRun;
  beforeAll(async () => {
    first = await teach(MATERIALS, 'materials', '--name', 'materials');
  });

  test('tells those apart that were held out, in integers and in floats, and says so', () => {
    expect(first.stdout).toMatch(/^60 photos of 3 labels: learned from 48, tested with the others$/m);
    const [, right] = /^accuracy {2}[\d.]+ %, (\d+) of 12 photos/m.exec(first.stdout) ?? [];
    expect(Number(right)).toBeGreaterThanOrEqual(12 * 0.95);
    if (process.arch === 'x64') {
      const [, inFloats] = /^ +[\d.]+ %, (\d+) of 12 photos \(32-bit floats\)$/m.exec(first.stdout) ?? [];
      expect(Number(inFloats)).toBeGreaterThanOrEqual(12 * 0.95);
    }
    expect(first.stdout).toMatch(/^tested +brick +grass +gravel\nbrick +4 +0 +0\ngrass +0 +4 +0\ngravel +0 +0 +4\n/m);
    expect(first.stdout).toMatch(/^least sure of\n( {2}0\.\d{3} (brick|grass|gravel) .*\n){5}/m);
    expect(first.stdout).not.toContain('warning');
    expect(first.stderr).toContain('looked at 60/60');
    expect(first.code).toBe(0);
  });

  test('the same seed gives the same files, another seed others', async () => {
    expect(await teach(MATERIALS, 'again', '--name', 'materials')).toMatchObject({ code: 0 });
    expect(await teach(MATERIALS, 'other', '--name', 'materials', '--seed', '2')).toMatchObject({ code: 0 });
    const [one, same, other] = await Promise.all(['materials', 'again', 'other'].map((name) => hashesOf(at(name))));
    expect(same).toEqual(one);
    expect(other?.['saved_model.pb']).not.toBe(one?.['saved_model.pb']);
    expect(Object.keys(one ?? {})).toEqual([
      'LICENSE',
      'SHA256SUMS',
      'classifier.json',
      'int8/saved_model.pb',
      'labels.txt',
      'saved_model.pb',
      'teaching.json',
    ]);
  });

  test('model check has nothing to say against it, and it is as fast as the default', async () => {
    const photos = LABELS.map((label) => join(MATERIALS, label, '01.jpg'));
    const { code, stdout } = await runCommand(['model', 'check', at('materials'), ...photos, '--json']);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ format: 'saved-model', labels: { count: 3, first: LABELS }, warnings: [] });
    expect(report.model).toEqual({ name: 'materials', version: expect.stringMatching(/^[0-9a-f]{12}(-int8)?$/) });
    expect(report.predictions.map(({ labels }: { labels: { label: string }[] }) => labels[0]?.label)).toEqual(LABELS);
    expect(code).toBe(0);
    if (process.arch === 'x64') expect(report.model.version).toMatch(/-int8$/);
  });

  test('has the list of hashes that a worker fetches it from S3 by, and prints the hash of that', async () => {
    const { SHA256SUMS: sums, ...hashes } = await hashesOf(at('materials'));
    const lines = (await readFile(join(at('materials'), 'SHA256SUMS'), 'utf8')).trim().split('\n');
    expect(Object.fromEntries(lines.map((line) => line.split('  ').reverse()))).toEqual(hashes);
    expect(first.stdout).toContain(`MODEL_SHA256=${sums} `);
  });

  test('labels what is enqueued on a local service', async () => {
    const options = ['--port', '0', '--workers', '1', '--state-dir', at('state'), '--allow-host', images.host];
    const local = startCommand(['local', ...options, '--model', at('materials')]);
    try {
      await local.says(/^export RESULTS_BUCKET=.*\n/m);
      const environment = Object.fromEntries(
        [...local.stdout().matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
      );
      const urls = LABELS.flatMap((label) =>
        ['05', '10', '15'].map((name) => images.url(`/material/${label}/${name}.jpg`)),
      );
      const input = urls.map((url) => `${url}\n`);
      expect(await runCommand(['enqueue', '-', '--job', 'walls'], { environment, input })).toMatchObject({ code: 0 });
      expect(await runCommand(['wait', 'walls'], { environment })).toMatchObject({ code: 0 });
      const { stdout } = await runCommand(['results', 'walls'], { environment });
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(new Set(lines.map(({ url }) => url))).toEqual(new Set(urls));
      for (const { url, labels, model } of lines) {
        expect(url).toContain(`/material/${labels[0].label}/`);
        expect(labels).toHaveLength(3);
        expect(model.name).toBe('materials');
      }
    } finally {
      local.interrupt();
      await local.ended;
    }
  });

  test('can be taught again, and so can any model that ends in a softmax', async () => {
    const { code, stdout } = await teach(MATERIALS, 'second', '--base', at('materials'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).heldOut.right).toBeGreaterThanOrEqual(12 * 0.95);
    await using twice = await changedModel({ config: { activation: 'sigmoid' } });
    const refused = await teach(MATERIALS, 'third', '--base', twice.path);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('expected a model whose scores are a softmax, got softmax and sigmoid');
  });

  test('is replaced with --force, unless a file was added to it', async () => {
    await mkdir(join(at('other'), 'photos'));
    await writeFile(join(at('other'), 'photos/01.jpg'), 'mine');
    const before = await hashesOf(at('other'));
    const refused = await teach(MATERIALS, 'other', '--force');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('photos/01.jpg is in it, which SHA256SUMS does not list and --force would remove');
    expect(await hashesOf(at('other'))).toEqual(before);
    await rm(join(at('other'), 'photos'), { recursive: true });
    expect(await teach(MATERIALS, 'other', '--force', '--name', 'replaced')).toMatchObject({ code: 0 });
    expect(JSON.parse(await readFile(join(at('other'), 'classifier.json'), 'utf8')).name).toBe('replaced');
    expect((await readdir(folder.path)).filter((name) => name.startsWith('other'))).toEqual(['other']);
  });

  test('photos in the model that would be replaced are not removed', async () => {
    await cp(MATERIALS, join(at('again'), 'photos'), { recursive: true });
    const refused = await teach(join(at('again'), 'photos'), 'again', '--force');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(await readdir(join(at('again'), 'photos'))).toEqual(LABELS);
  });
});

test('a base that gives other scores with another last layer is refused, and nothing is written', async () => {
  // Its features are made with the weights of the last layer, too.
  const T = attribute('T', [6, 1]);
  const weights = (name: string, values: number[], ...sizes: number[]) => {
    const content = Buffer.from(Float32Array.from(values).buffer);
    return node(
      name,
      'Const',
      [],
      [
        attribute('dtype', [6, 1]),
        attribute('value', [
          8,
          [
            [1, 1],
            [2, shape(...sizes)],
            [4, content],
          ],
        ]),
      ],
    );
  };
  const graph = [
    node('features', 'MatMul', ['mean', 'kernel'], [T]),
    node('product', 'MatMul', ['features', 'kernel'], [T]),
    node('sum', 'BiasAdd', ['product', 'bias'], [T]),
    node('scores', 'Softmax', ['sum'], [T]),
    weights('kernel', [1, 0, 0, 0, 1, 0, 0, 0, 1], 3, 3),
    weights('bias', [0, 0, 0], 3),
  ];
  await using base = await changedModel({
    config: { inputSize: 32, output: undefined, activation: 'none', labels: ['red', 'green', 'blue'] },
    files: {
      'saved_model.pb': channelMeans(32, 'float32', undefined, { graph, answer: 'scores:0' }),
      'labels.txt': null,
    },
  });
  const { code, stdout, stderr } = await teach(MATERIALS, 'shared', '--base', base.path);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(
    'this base cannot be taught: expected scores that differ from those of the training by at most',
  );
  expect((await readdir(folder.path)).filter((name) => name.includes('shared'))).toEqual([]);
});

describe('a table with everything that may be wrong with photos', () => {
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

  test('makes a model of the others, lists those that failed with their codes, and exits with 3', () => {
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

  test('shows them on a page that needs nothing else, and holds what others wrote as text', async () => {
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

test('a label of which nothing can be read is an error with the reasons', async () => {
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

test('a command that is interrupted leaves no model', async () => {
  const running = startCommand(['model', 'teach', MATERIALS, '--out', at('interrupted')]);
  await eventually('the first photos', () => running.stderr().includes('looked at 6/60'), 60_000);
  running.interrupt();
  await running.ended;
  expect((await readdir(folder.path)).filter((name) => name.includes('interrupted'))).toEqual([]);
});

test('a command that is interrupted while it writes leaves a whole model or nothing', async () => {
  const running = startCommand(['model', 'teach', MATERIALS, '--out', at('cut')]);
  await eventually(
    'a folder that is being written',
    async () => (await readdir(folder.path)).some((name) => name.startsWith('cut')),
    120_000,
  );
  running.interrupt();
  await running.ended;
  const left = (await readdir(folder.path)).filter((name) => name.startsWith('cut'));
  expect(left.filter((name) => name !== 'cut')).toEqual([]);
});
