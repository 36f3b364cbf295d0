import { expect, test } from '@jest/globals';
import { dashboardTarget, patientTarget } from '../../../dashboard/server/dashboard-target.ts';
import { jobSettingsFrom } from '../../../shared/settings.ts';
import { failure, writeParts } from '../../../testkit/job-outcomes.ts';
import { startTestAws } from '../../../testkit/test-aws.ts';
import { sharedByTests } from '../../support/shared-by-tests.ts';
import { startTargetedFaults } from '../../support/targeted-faults.ts';
import { answerOf, startTestDashboard } from '../../support/test-dashboard.ts';

const [aws] = await sharedByTests(startTestAws());

/** More refusals in a row than a look goes on for. */
const REFUSALS = 4;

test('a redrive continues when SQS throttles it for a while', async () => {
  await writeParts(aws.target, 'failures', [failure('a'), failure('b')]);
  let sends = 0;
  await using faults = await startTargetedFaults(aws, ({ headers }) => {
    if (headers['x-amz-target'] === 'AmazonSQS.SendMessageBatch' && ++sends > REFUSALS) faults.heal();
  });
  faults.inject({ action: 'SendMessageBatch', queue: 'labelqueue' }, 503);
  const settings = jobSettingsFrom(faults.environment);
  const target = dashboardTarget(settings, faults.clientConfig);
  const changesTarget = patientTarget(settings, faults.clientConfig);
  await using dashboard = await startTestDashboard(target, { changesTarget, allowsChanges: true });
  const answer = await answerOf(await dashboard.post('/api/jobs/cats/redrive', { confirm: 'cats' }));
  expect(answer).toMatchObject({ status: 200, images: 2 });
  expect(sends).toBe(REFUSALS + 1);
  for (const { sqs, s3 } of [target, changesTarget]) {
    sqs.destroy();
    s3.destroy();
  }
}, 30_000);
