import { beforeEach, describe, expect, test } from '@jest/globals';
import { type JobRun, runField } from '../../shared/contract/job-run.ts';
import { formatMessage, type ImageRef } from '../../shared/contract/message.ts';
import { parseMessage } from '../../shared/contract/parse-message.ts';
import { type RedriveOptions, redrive } from '../../shared/jobs/redrive.ts';
import { sendMessages } from '../../shared/jobs/send-messages.ts';
import { startTestAws } from '../../testkit/test-aws.ts';
import { idsIn } from '../support/ids-in.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { allFail, imagesNamed, workQueueEmpty } from '../support/stub-worker.ts';

const JOB = 'cats';
const ALL: RedriveOptions = { job: JOB, codes: undefined, perMessage: 100, dryRun: false };

const [aws] = await sharedByTests(startTestAws());
beforeEach(() => aws.clear());

describe('dead letters without a failure line', () => {
  const [image] = imagesNamed('alone', 1) as [ImageRef];

  async function sendLetter(code?: string): Promise<void> {
    const error = code === undefined ? {} : { error: { code, stage: 'fetch', message: 'expected this', attempts: 1 } };
    const body = JSON.stringify({ v: 1, job: JOB, attempt: 1, images: [{ ...image, ...error }] });
    await sendMessages(aws.target.sqs, aws.target.deadLetterQueueUrl, [{ body }]);
  }

  test('are not deleted: their images are sent again', async () => {
    await sendLetter('timeout');
    expect(await redrive(aws.target, ALL, new Date())).toEqual({
      images: 1,
      deadLetters: 1,
      ofEarlierRuns: 0,
      notLookedAt: 0,
    });
    expect(idsIn(aws.queued())).toEqual([image.id]);
  });

  test('stay on the DLQ when another code was requested', async () => {
    await sendLetter('timeout');
    const options = { ...ALL, codes: new Set(['not_found']) };
    expect(await redrive(aws.target, options, new Date())).toEqual({
      images: 0,
      deadLetters: 0,
      ofEarlierRuns: 0,
      notLookedAt: 0,
    });
    expect(idsIn(aws.queued())).toEqual([]);
  });

  test('count as worker_crashed when SQS moved them', async () => {
    await sendLetter();
    const options = { ...ALL, codes: new Set(['worker_crashed']) };
    expect(await redrive(aws.target, options, new Date())).toEqual({
      images: 1,
      deadLetters: 1,
      ofEarlierRuns: 0,
      notLookedAt: 0,
    });
    expect(idsIn(aws.queued())).toEqual([image.id]);
  });
});

describe('of a job with runs', () => {
  const run = '1'.repeat(16);
  const images = imagesNamed('same', 2);

  async function failIn(of: JobRun): Promise<void> {
    await aws.send(formatMessage({ job: JOB, ...runField(of.run), attempt: 1, images }));
    await workQueueEmpty(aws, allFail);
  }

  test('only failures of this run are sent again; letters of another one are left and counted', async () => {
    await failIn({ job: JOB, run: '0'.repeat(16) });
    await failIn({ job: JOB, run });
    expect(await redrive(aws.target, { ...ALL, run }, new Date())).toEqual({
      ...{ images: 2, deadLetters: 2, ofEarlierRuns: 2, notLookedAt: 0 },
    });
    expect(aws.queued().map(({ body }) => parseMessage(body))).toEqual([{ job: JOB, run, attempt: 1, images }]);
    expect(aws.deadLetters().map(({ body }) => JSON.parse(body).run)).toEqual(['0'.repeat(16), '0'.repeat(16)]);
  });

  test('letters without a run are sent again without one, apart from images of the same ids', async () => {
    await failIn({ job: JOB });
    await failIn({ job: JOB, run });
    expect(await redrive(aws.target, { ...ALL, run }, new Date())).toEqual({
      ...{ images: 4, deadLetters: 4, ofEarlierRuns: 0, notLookedAt: 0 },
    });
    const runs = aws.queued().map(({ body }) => JSON.parse(body).run);
    expect(runs).toEqual([run, undefined, undefined]);
  });
});
