import { expect, test } from '@jest/globals';
import { runChaos } from './chaos-run.ts';

const IMAGES = 150;
const SEED = 1;

test('every image gets its one right outcome, though workers are killed and AWS fails', async () => {
  let log = '';
  const report = await runChaos({
    images: IMAGES,
    seed: SEED,
    host: 'lambda',
    kills: { times: 3, everyMs: 2_000 },
    timing: {
      functionTimeoutSeconds: 9,
      fetchTimeoutSeconds: 1,
      retryBaseSeconds: 0.5,
      giveUpSeconds: 150,
      stopSeconds: 0,
    },
    onLog: (text) => {
      log += text;
    },
    onProgress: () => {},
  });

  // The log is what explains a failure, and it is long.
  if (report.complaints.length > 0) process.stderr.write(log);
  expect(report).toMatchObject({
    enqueued: IMAGES,
    complaints: [],
    lost: 0,
    double: 0,
    wrongOutcome: 0,
    withoutDeadLetter: 0,
    kills: 3,
    isAnnounced: true,
    ends: 1,
  });
  expect(report.classified + report.failed).toBe(IMAGES);
  expect(report.faultsInjected).toBeGreaterThan(0);
}, 450_000);

test('every image gets its one right outcome from `labelqueue work` that is killed, terminated and stopped', async () => {
  let log = '';
  const report = await runChaos({
    images: IMAGES,
    seed: SEED,
    host: 'work',
    // Each kind of havoc once.
    kills: { times: 6, everyMs: 2_500 },
    timing: {
      functionTimeoutSeconds: 4,
      fetchTimeoutSeconds: 1,
      retryBaseSeconds: 0.5,
      giveUpSeconds: 300,
      stopSeconds: 12,
    },
    onLog: (text) => {
      log += text;
    },
    onProgress: () => {},
  });

  if (report.complaints.length > 0) process.stderr.write(log);
  expect(report).toMatchObject({
    enqueued: IMAGES,
    complaints: [],
    lost: 0,
    double: 0,
    wrongOutcome: 0,
    withoutDeadLetter: 0,
    kills: 6,
    isAnnounced: true,
    ends: 1,
    unclean: 0,
  });
  expect(report.classified + report.failed).toBe(IMAGES);
}, 600_000);
