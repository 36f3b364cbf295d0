import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { decodeEmbedding, TRUNK } from '../../shared/contract/embedding.ts';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { layersFolder } from '../classifier/tfjs-folders.ts';
import { runCommand } from '../support/command.ts';

const COFFEE = join(import.meta.dirname, '../../samples/photos/coffee.jpg');

test('classify --embedding --json prints lines with embeddings', async () => {
  const { code, stdout } = await runCommand(['classify', COFFEE, '--embedding', '--json']);
  expect(code).toBe(0);
  const { labels, embedding, trunk } = JSON.parse(stdout);
  expect(labels[0].label).toBe('espresso');
  expect(decodeEmbedding(embedding)).toHaveLength(1_280);
  expect(trunk).toMatch(TRUNK);
});

test('classify --embedding without --json is a usage error: text output has no embeddings', async () => {
  expect(await runCommand(['classify', COFFEE, '--embedding'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--embedding needs --json'),
  });
});

test('a model that has no embeddings is an error before any image or service', async () => {
  await using model = await layersFolder();
  await using state = await createTemporaryFolder();
  const message = expect.stringMatching(/expected a SavedModel to take features from, got a layers-model/);
  const options = ['--embedding', '--model', model.path];
  expect(await runCommand(['classify', COFFEE, '--json', ...options])).toMatchObject({ code: 1, stderr: message });
  expect(await runCommand(['local', '--port', '0', '--state-dir', state.path, ...options])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: message,
  });
});

test('a value of EMBEDDING that is neither on nor off is named', async () => {
  const { code, stderr } = await runCommand(['classify', COFFEE], { environment: { EMBEDDING: 'float16' } });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('EMBEDDING="float16": expected 1 or 0'),
  });
});
