import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startImageServer } from '../../testkit/image-server.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { commandTests } from '../support/command-tests.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const PHOTOS = join(import.meta.dirname, '../../samples/photos');

const { aws, folder } = await commandTests();
const [images] = await sharedByTests(startImageServer());

/** Images with an id each, so that the table has them on one line. */
async function list(count: number): Promise<string> {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ id: `photo-${index}`, url: images.url(`/photos/coffee.jpg?${index}`) }),
  );
  return folder.write('list.jsonl', `${lines.join('\n')}\n`);
}

function sample(source: string, ...options: string[]): Promise<CommandRun> {
  const report = join(folder.path, 'sample.html');
  return runCommand(['enqueue', source, '--job', 'cats', '--report', report, ...options], {
    environment: aws.environment,
  });
}

function idsIn(run: CommandRun): string[] {
  return [...run.stdout.matchAll(/photo-\d+/g)].map(([id]) => id);
}

test('labels some images on this machine, prints a table, writes a page with pictures, and sends nothing', async () => {
  const run = await sample(await list(40), '--sample', '4', '--seed', '7', '--allow-host', images.host);
  expect(run).toMatchObject({ code: 0 });
  expect(new Set(idsIn(run)).size).toBe(4);
  expect(run.stdout).toMatch(/espresso/);
  expect(run.stdout).toMatch(/^4 of 40 images, 0 failed; nothing was sent$/m);
  expect(run.stderr).toContain('--seed 7 takes these images again');
  const page = await readFile(join(folder.path, 'sample.html'), 'utf8');
  expect(page).toContain('a sample of cats');
  expect(page.match(/src="data:image\/webp/g)).toHaveLength(4);
  // Each image was fetched once, for its label and for its picture.
  expect(images.requests('/photos/coffee.jpg')).toBe(4);
  expect(aws.queued()).toEqual([]);
}, 60_000);

test('the same seed takes the same images, another seed takes others', async () => {
  const source = await list(200);
  const idsOf = async (seed: string) => {
    const run = await sample(source, '--sample', '5', '--seed', seed, '--allow-host', images.host, '--json');
    return JSON.parse(run.stdout).results.map(({ id }: { id: string }) => id);
  };
  const first = await idsOf('1');
  expect(first).toHaveLength(5);
  expect(await idsOf('1')).toEqual(first);
  expect(await idsOf('2')).not.toEqual(first);
}, 60_000);

test('needs no AWS, follows the rules for addresses, and prints failures', async () => {
  const source = await list(3);
  const report = join(folder.path, 'bare.html');
  const run = await runCommand(['enqueue', source, '--sample', '10', '--report', report]);
  expect(run.code).toBe(3);
  expect(run.stdout).toMatch(/address_not_allowed/);
  expect(run.stdout).toMatch(/^3 of 3 images, 3 failed; nothing was sent$/m);
  expect(run.stderr).not.toMatch(/^ +at /m);
}, 60_000);

test.each([
  ['--seed', '1'],
  ['--report', 'a.html'],
  ['--allow-host', '127.0.0.1:1'],
  ['--model', 'folder'],
])('refuses %s without --sample, since workers have their own settings', async (name, value) => {
  const run = await runCommand(['enqueue', await list(1), name, value], { environment: aws.environment });
  expect(run.code).toBe(1);
  expect(run.stderr).toContain(`${name} is for --sample`);
  expect(aws.queued()).toEqual([]);
});

test('reads images of a folder from disk, and uploads none', async () => {
  const photos = join(folder.path, 'photos');
  await mkdir(photos);
  for (const name of ['coffee.jpg', 'chelsea.jpg']) await copyFile(join(PHOTOS, name), join(photos, name));
  const run = await sample(photos, '--sample', '2');
  expect(run).toMatchObject({ code: 0 });
  expect(run.stdout).toMatch(/chelsea\.jpg +│ Egyptian cat/);
  expect(run.stdout).toMatch(/coffee\.jpg +│ espresso/);
  expect(await readFile(join(folder.path, 'sample.html'), 'utf8')).toMatch(/src="data:image\/webp/);
}, 60_000);
