import { expect, test } from '@jest/globals';
import { type ChaosOptions, type ChaosReport, runChaos } from './chaos-run.ts';

const IMAGES = 150;

/** What must come out of a run, whoever hosts the workers. */
async function chaosOf(options: Pick<ChaosOptions, 'host' | 'kills' | 'timing'>): Promise<ChaosReport> {
  let log = '';
  const onLog = (text: string) => {
    log += text;
  };
  const report = await runChaos({ images: IMAGES, seed: 1, onLog, onProgress: () => {}, ...options });
  // The log is what explains a failure, and it is long.
  if (report.complaints.length > 0) process.stderr.write(log);
  expect(report).toMatchObject({
    enqueued: IMAGES,
    complaints: [],
    lost: 0,
    double: 0,
    wrongOutcome: 0,
    withoutDeadLetter: 0,
    kills: options.kills.times,
    isAnnounced: true,
    ends: 1,
  });
  expect(report.classified + report.failed).toBe(IMAGES);
  return report;
}

test('every image gets exactly its expected outcome although workers are killed and AWS fails', async () => {
  const report = await chaosOf({
    host: 'lambda',
    kills: { times: 3, everyMs: 2_000 },
    timing: {
      functionTimeoutSeconds: 9,
      fetchTimeoutSeconds: 1,
      retryBaseSeconds: 0.5,
      giveUpSeconds: 150,
      stopSeconds: 0,
    },
  });
  expect(report.faultsInjected).toBeGreaterThan(0);
}, 450_000);

test('every image gets exactly its expected outcome although `labelqueue work` is killed, terminated and stopped', async () => {
  const report = await chaosOf({
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
  });
  expect(report.unclean).toBe(0);
}, 600_000);
