import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadClassifier } from '../../shared/classifier/infer.ts';
import { isInnerPath } from '../../shared/classifier/model/inner-path.ts';
import { readModelFolder } from '../../shared/classifier/model/model-folder.ts';
import { ModelFolderError } from '../../shared/classifier/model/model-folder-error.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { MEANS_MODEL } from './s3-model.ts';
import { brightChannelFolder, graphFolder, layersFolder, teachableMachineFolder } from './tfjs-folders.ts';

const MARK = '\uFEFF';

async function meansFolder(changes: Record<string, string | Buffer> = {}): Promise<TemporaryFolder> {
  const folder = await createTemporaryFolder();
  for (const [name, content] of Object.entries({ ...MEANS_MODEL, ...changes })) await folder.write(name, content);
  return folder;
}

async function refusal(folder: TemporaryFolder): Promise<string> {
  const error = await readModelFolder(folder.path)
    .then(loadClassifier)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ModelFolderError);
  return (error as Error).message;
}

async function changeModelJson(folder: TemporaryFolder, change: (model: ModelJson) => void): Promise<void> {
  const model = JSON.parse(await readFile(join(folder.path, 'model.json'), 'utf8'));
  change(model);
  await folder.write('model.json', JSON.stringify(model));
}

type ModelJson = { weightsManifest: { paths: string[]; weights: { shape: number[] }[] }[] };

describe('weights are read from the folder alone:', () => {
  test.each([
    '../secret.bin',
    'weights/../../secret.bin',
    '/etc/passwd',
    '..\\secret.bin',
    'C:\\secret.bin',
    'file:///etc/passwd',
    'https://example.com/weights.bin',
    '%2e%2e/secret.bin',
    '..%2fsecret.bin',
    '..%5csecret.bin',
    '%2fetc%2fpasswd',
    'weights//secret.bin',
    './../secret.bin',
    '',
    '.',
    'a\0b',
  ])('not from %j', async (path) => {
    await using folder = await graphFolder({ output: 'means' });
    await changeModelJson(folder, ({ weightsManifest: [group] }) => {
      if (group !== undefined) group.paths = [path];
    });
    expect(await refusal(folder)).toMatch(/model\.json: expected weightsManifest with paths inside the model's folder/);
  });

  test.each(['group1-shard1of1.bin', './group1-shard1of1.bin', 'deeper/100%.bin'])('but from %j', async (path) => {
    await using folder = await graphFolder({ output: 'means' });
    await changeModelJson(folder, ({ weightsManifest: [group] }) => {
      if (group !== undefined) group.paths = [path];
    });
    const weights = await readFile(join(folder.path, 'group1-shard1of1.bin'));
    await mkdir(join(folder.path, 'deeper'));
    await folder.write('deeper/100%.bin', weights);
    const classifier = await loadClassifier(await readModelFolder(folder.path));
    classifier.dispose();
    expect(isInnerPath(path.replace('./', ''))).toBe(true);
  });

  test('not those of a layers model either', async () => {
    await using folder = await layersFolder();
    await changeModelJson(folder, ({ weightsManifest }) => {
      weightsManifest.push({ paths: ['../secret.bin'], weights: [] });
    });
    expect(await refusal(folder)).toMatch(/paths inside the model's folder, got "\.\.\/secret\.bin"/);
  });

  test.each<[what: string, change: (json: { weightsManifest?: unknown }) => void]>([
    ['no weightsManifest', (json) => delete json.weightsManifest],
    ['an empty one', (json) => (json.weightsManifest = [])],
  ])('and must be there: a layers model with %s would have random ones', async (_what, change) => {
    await using folder = await brightChannelFolder();
    await changeModelJson(folder, change);
    expect(await refusal(folder)).toMatch(/expected a layers model .* 2 of 2 weights are not set/);
  });

  test('and have the declared number of bytes', async () => {
    await using folder = await graphFolder({ output: 'means' });
    await changeModelJson(folder, ({ weightsManifest: [group] }) => {
      if (group?.weights[0] !== undefined) group.weights[0].shape = [1e9, 1e9];
    });
    expect(await refusal(folder)).toMatch(/expected 4000000000000000000 bytes of weights, .* the files have 8/);
  });

  test('and have no more bytes than fit in memory, however often a file is named', async () => {
    await using folder = await graphFolder({ output: 'means' });
    await truncate(join(folder.path, 'group1-shard1of1.bin'), 1_000_000_000);
    await changeModelJson(folder, ({ weightsManifest: [group] }) => {
      if (group !== undefined) group.paths = Array.from({ length: 3 }, () => 'group1-shard1of1.bin');
    });
    expect(await refusal(folder)).toMatch(/weights of at most \d+ bytes in all, got 3000000000/);
  });
});

describe('a link that leads out of the folder is refused:', () => {
  test.each(['labels.txt', 'saved_model.pb', 'variables', 'assets/vocabulary.txt', 'int8'])('%s', async (name) => {
    await using elsewhere = await createTemporaryFolder();
    await elsewhere.write('secret', 'secret');
    await using folder = await createTemporaryFolder();
    await mkdir(join(folder.path, 'assets'));
    for (const [file, content] of Object.entries(MEANS_MODEL)) if (file !== name) await folder.write(file, content);
    await symlink(join(elsewhere.path, 'secret'), join(folder.path, name));
    expect(await refusal(folder)).toMatch(
      new RegExp(`${name}: expected a link to something in .*, it leads to .*secret`),
    );
  });

  test('even one that leads nowhere', async () => {
    await using folder = await meansFolder();
    await symlink('/no/such/file', join(folder.path, 'weights.bin'));
    expect(await refusal(folder)).toMatch(/weights\.bin: .* it leads nowhere/);
  });

  test('but not one within the folder, nor one to the folder, nor any of a trusted model', async () => {
    await using folder = await meansFolder();
    await folder.write('my-labels.txt', 'red\ngreen\nblue\n');
    execFileSync('rm', [join(folder.path, 'labels.txt')]);
    await symlink('my-labels.txt', join(folder.path, 'labels.txt'));
    await symlink('.', join(folder.path, 'again'));
    await using links = await createTemporaryFolder();
    await symlink(folder.path, join(links.path, 'model'));
    expect((await readModelFolder(join(links.path, 'model'))).labels).toEqual(['red', 'green', 'blue']);
    await symlink('/etc/hostname', join(folder.path, 'out'));
    await expect(readModelFolder(folder.path)).rejects.toThrow(/--trust-model/);
    expect((await readModelFolder(folder.path, true)).trusted).toBe(true);
  });

  test('a pipe is refused, and not waited for', async () => {
    await using folder = await meansFolder();
    execFileSync('mkfifo', [join(folder.path, 'notes.bin')]);
    expect(await refusal(folder)).toMatch(/notes\.bin: expected a file or a folder, got a device or a pipe/);
  });
});

describe('a file that is too large is not read:', () => {
  test.each([
    ['labels.txt', 11_000_000],
    ['classifier.json', 11_000_000],
    ['saved_model.pb', 2 ** 31],
  ])('%s', async (name, bytes) => {
    await using folder = await meansFolder();
    // A hole: it takes no room.
    await truncate(join(folder.path, name), bytes);
    expect(await refusal(folder)).toMatch(new RegExp(`${name}: expected at most \\d+ bytes, got ${bytes}`));
  });

  test('model.json', async () => {
    await using folder = await graphFolder();
    await truncate(join(folder.path, 'model.json'), 101_000_000);
    expect(await refusal(folder)).toMatch(/model\.json: expected at most 100000000 bytes/);
  });

  test('metadata.json', async () => {
    await using folder = await teachableMachineFolder();
    await truncate(join(folder.path, 'metadata.json'), 11_000_000);
    expect(await refusal(folder)).toMatch(/metadata\.json: expected at most 10000000 bytes/);
  });
});

describe('a byte order mark is not part of a file:', () => {
  test('labels.txt and classifier.json', async () => {
    await using folder = await meansFolder({
      'labels.txt': `${MARK}red\r\ngreen\r\nblue\r\n`,
      'classifier.json': `${MARK}${MEANS_MODEL['classifier.json']}`,
    });
    expect(await readModelFolder(folder.path)).toMatchObject({
      labels: ['red', 'green', 'blue'],
      config: { name: 'means' },
    });
  });

  test('labels.txt in UTF-16, as some editors call Unicode', async () => {
    await using folder = await meansFolder({ 'labels.txt': Buffer.from(`${MARK}röd\r\ngrün\r\nblå`, 'utf16le') });
    expect((await readModelFolder(folder.path)).labels).toEqual(['röd', 'grün', 'blå']);
    await writeFile(join(folder.path, 'labels.txt'), Buffer.from(`${MARK}röd\ngrün\nblå`, 'utf16le').swap16());
    expect((await readModelFolder(folder.path)).labels).toEqual(['röd', 'grün', 'blå']);
  });

  test('labels.txt in another encoding is refused rather than changed', async () => {
    await using folder = await meansFolder({ 'labels.txt': Buffer.from('röd\ngrün\nblå\n', 'latin1') });
    expect(await refusal(folder)).toMatch(/labels\.txt: expected text in UTF-8: save it as UTF-8/);
  });

  test('model.json and metadata.json', async () => {
    await using folder = await teachableMachineFolder();
    for (const name of ['model.json', 'metadata.json']) {
      await folder.write(name, `${MARK}${await readFile(join(folder.path, name), 'utf8')}`);
    }
    const classifier = await loadClassifier(await readModelFolder(folder.path));
    classifier.dispose();
    expect(classifier.id.name).toBe('cups-and-cats');
  });
});
