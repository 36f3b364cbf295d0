import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { graphFolder, METADATA, teachableMachineFolder } from '../classifier/tfjs-folders.ts';
import { type CommandRun, runCommand } from '../support/command.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';

const COFFEE = relative(process.cwd(), join(import.meta.dirname, '../../samples/photos/coffee.jpg'));

const [teachable] = await sharedByTests(teachableMachineFolder());

function check(...args: string[]): Promise<CommandRun> {
  return runCommand(['model', 'check', ...args]);
}

test('prints what is in a folder, how fast the model is, and its labels for a photo', async () => {
  const { code, stdout } = await check(teachable.path, COFFEE);
  expect(stdout).toMatch(/^model +cups-and-cats, version [0-9a-f]{12}, layers model$/m);
  expect(stdout).toMatch(/^input +\S+ float32 \[\?, 224, 224, 3\]$/m);
  expect(stdout).toMatch(/^output +\S+ float32 \[\?, 3\]$/m);
  expect(stdout).toMatch(/^labels +3 from metadata\.json: cups \| cats \| rockets$/m);
  expect(stdout).toMatch(/^pixels +the middle 100 % of the shorter side at 224 x 224, linear; \(x - 127\) \/ 127$/m);
  for (const images of [1, 8, 32]) {
    expect(stdout).toMatch(new RegExp(`^batch of ${images} +[\\d.]+ ms an image, [\\d.]+ images/s$`, 'm'));
  }
  expect(stdout).toMatch(/^memory +\d+ MB before, \d+ MB with the model, \d+ MB at most$/m);
  expect(stdout).toMatch(new RegExp(`^${COFFEE}:\n(?:(?:cups|cats|rockets) \\(score = [01]\\.\\d{5}\\)\n){3}`, 'm'));
  expect(stdout).toMatch(/^warning slow_format: a layers model runs 1\.6 to 3\.6 times slower/m);
  expect(code).toBe(0);
});

test('prints the same as JSON, for the sample photos when none are given', async () => {
  const { code, stdout } = await check(teachable.path, '--json', '--top', '1');
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ format: 'layers-model', model: { name: METADATA.modelName }, labels: { count: 3 } });
  expect(report.predictions.length).toBeGreaterThan(5);
  for (const { labels } of report.predictions) expect(labels).toHaveLength(1);
  expect(code).toBe(0);
});

test('exits with 3 when a photo fails, and prints its error', async () => {
  const { code, stdout } = await check(teachable.path, 'no-such.jpg', COFFEE);
  expect(stdout).toContain('no-such.jpg: not_found: no such file\n');
  expect(stdout).toContain(`${COFFEE}:\n`);
  expect(code).toBe(3);
});

test('exits with 1 and the reason when the folder cannot be used', async () => {
  await using folder = await graphFolder({ output: 'means', labels: ['one'] });
  const { code, stdout, stderr } = await check(folder.path, COFFEE);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^labelqueue: .*expected a label for each score, got 1 labels .* and 3 scores/m);
});

test('a model that does more than compute is refused with its operations, and used with --trust-model', async () => {
  await using folder = await graphFolder({ output: 'means' });
  const file = join(folder.path, 'model.json');
  const model = JSON.parse(await readFile(file, 'utf8'));
  model.modelTopology.node.push({ name: 'idle', op: 'ReadFile', input: [] });
  await folder.write('model.json', JSON.stringify(model));
  const refused = await check(folder.path, COFFEE);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^labelqueue: .*model\.json: expected operations that compute, got ReadFile \(idle\): .*--trust-model/,
  );
  expect(await check('--trust-model', folder.path, COFFEE)).toMatchObject({ code: 0, stderr: '' });
  // The environment's word is for the environment's model.
  const environment = { MODEL_TRUSTED: 'true' };
  const options = ['classify', '--model', folder.path, COFFEE];
  expect(await runCommand(options, { environment })).toMatchObject({ code: 1, stdout: '' });
  expect(
    await runCommand(['classify', COFFEE], { environment: { ...environment, MODEL_DIR: folder.path } }),
  ).toMatchObject({ code: 0 });
  expect(await runCommand([...options, '--trust-model'])).toMatchObject({ code: 0 });
});

test("classify prefers the model of its option to the environment's, and its lines name it", async () => {
  const { code, stdout } = await runCommand(['classify', '--json', '--model', teachable.path, COFFEE], {
    environment: { MODEL_S3_URI: 's3://nowhere/model/', MODEL_SHA256: '0'.repeat(64) },
  });
  expect(JSON.parse(stdout)).toMatchObject({
    model: { name: 'cups-and-cats', version: expect.stringMatching(/^[0-9a-f]{12}$/) },
    labels: [expect.anything(), expect.anything(), expect.anything()],
  });
  expect(code).toBe(0);
});

test('classify says so when no label reaches the threshold', async () => {
  await using folder = await graphFolder({ output: 'means', range: [0, 0.1], threshold: 0.5 });
  const text = await runCommand(['classify', '--model', folder.path, COFFEE]);
  expect(text).toMatchObject({ code: 0, stdout: 'no label reaches the threshold\n' });
  const json = await runCommand(['classify', '--json', '--model', folder.path, COFFEE]);
  expect(JSON.parse(json.stdout)).toMatchObject({ labels: [], model: { name: 'tiny', version: '3' } });
});
