import { describe, expect, test } from '@jest/globals';
import { FUNCTION_MEMORY_MB } from '../../shared/contract/limits.ts';
import { runAttackCommand } from './attack-command.ts';
import { attacksOf } from './attack-kinds.ts';
import { isSound, runAttack } from './attack-run.ts';

/** Twice is what is promised; other tests run beside this one. */
const MOST_SLOWDOWN = 3;

test('each attack has its expected outcome, and the healthy images beside it are done in time', async () => {
  let log = '';
  const attacks = attacksOf([]);
  const report = await runAttack({
    ...{ images: attacks.length, healthy: 200, hosts: 40, workers: 2, minutes: 0, seed: 1, attacks },
    timing: { functionTimeoutSeconds: 40, fetchTimeoutSeconds: 1, retryBaseSeconds: 0.2, giveUpSeconds: 150 },
    onLog: (text) => {
      log += text;
    },
    onProgress: () => {},
  });

  // The log is what explains a failure, and it is long.
  if (report.complaints.length > 0) process.stderr.write(log);
  expect(report).toMatchObject({ complaints: [], brokenBy: {}, lost: 0, double: 0, wrongOutcome: 0 });
  expect(report).toMatchObject({ hostile: attacks.length, healthy: 200, rounds: 1, withoutDeadLetter: 0 });
  expect(report.slowdown).toBeLessThanOrEqual(MOST_SLOWDOWN);
  expect(report.peakRssMb).toBeLessThanOrEqual(FUNCTION_MEMORY_MB);
}, 400_000);

describe('npm run attack', () => {
  test('prints one line of counts, and exits with 0 when each promise is kept', async () => {
    const few = ['--images', '12', '--healthy', '60', '--hosts', '3', '--seed', '7', '--max-slowdown', '100'];
    const { code, stdout } = await runAttackCommand([...few, '--behaviour', 'plain', '--behaviour', 'one-byte']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ seed: 7, hostile: 12, healthy: 60, hosts: 3, lost: 0, wrongOutcome: 0 });
    expect(code).toBe(0);
  }, 200_000);

  test.each([
    ['all is well', {}, true],
    ['an image is lost', { lost: 1 }, false],
    ['an image has two outcomes', { double: 1 }, false],
    ['an outcome is wrong', { wrongOutcome: 1 }, false],
    ['a dead letter is missing', { withoutDeadLetter: 1 }, false],
    ['healthy images take more than twice as long', { slowdown: 2.01 }, false],
    ['a worker holds more than Lambda has', { peakRssMb: 1_001 }, false],
  ])('judges a run where %s', (_what, counts, kept) => {
    const sound = { seed: 1, rounds: 1, hosts: 1, hostile: 9, healthy: 9, slowdown: 2, aloneSeconds: 1, seconds: 1 };
    const none = { lost: 0, double: 0, wrongOutcome: 0, withoutDeadLetter: 0, functionErrors: 0, brokenBy: {} };
    const report = { ...sound, ...none, peakRssMb: 1_000, peakDescriptors: 9, ...counts };
    expect(isSound(report, { maxSlowdown: 2, maxRss: 1_000 })).toBe(kept);
  });

  test.each([
    [
      ['--images', 'many'],
      /^error: option '--images <n>' argument 'many' is invalid\. Expected a whole number from 1 /,
    ],
    [['--minutes', '-1'], /^error: option '--minutes <n>' argument '-1' is invalid\. Expected a number from 0 to /],
    [['--behaviour', 'kindness'], /^error: expected the start of a behaviour's name, got kindness$/],
    [['--louder'], /^error: unknown option '--louder'$/],
    [['more'], /^error: too many arguments/],
  ])('%j is refused in one line', async (args, message) => {
    const { code, stdout, stderr } = await runAttackCommand(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(message)]);
  });
});
