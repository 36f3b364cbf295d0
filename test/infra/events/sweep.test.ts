import { expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { SWEEP_RESERVE_MS, VISIBILITY_TIMEOUT_SECONDS } from '../../../shared/contract/limits.ts';
import { templateOf } from '../synthesized.ts';

const template = templateOf();
const [sweep = ''] = Object.keys(
  template.findResources('AWS::Lambda::Function', { Properties: { Handler: 'sweep.handler' } }),
);

test('a stage without options sweeps the DLQ each half hour, and retries no sweep', () => {
  template.hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(30 minutes)',
    State: 'ENABLED',
    Targets: [{ Arn: { 'Fn::GetAtt': [sweep, 'Arn'] }, RetryPolicy: { MaximumRetryAttempts: 0 } }],
  });
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
    FunctionName: { Ref: sweep },
    MaximumRetryAttempts: 0,
  });
});

test('only its rule may call it', () => {
  const [rule] = Object.keys(template.findResources('AWS::Events::Rule'));
  template.hasResourceProperties('AWS::Lambda::Permission', {
    FunctionName: { 'Fn::GetAtt': [sweep, 'Arn'] },
    Principal: 'events.amazonaws.com',
    SourceArn: { 'Fn::GetAtt': [rule, 'Arn'] },
  });
});

test('it ends before the next one, before a message is redelivered, and in time to put letters back', () => {
  const Timeout = Number(template.findResources('AWS::Lambda::Function')[sweep]?.['Properties'].Timeout);
  expect(Timeout).toBeLessThan(VISIBILITY_TIMEOUT_SECONDS);
  expect(SWEEP_RESERVE_MS).toBeLessThan(Timeout * 1_000);
  expect(SWEEP_RESERVE_MS).toBeGreaterThanOrEqual(30_000);
});

test('without announced ends, it requests no checks', () => {
  template.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'sweep.handler',
    Environment: {
      Variables: Match.objectLike({
        ...{ QUEUE_URL: Match.anyValue(), DEAD_LETTER_QUEUE_URL: Match.anyValue(), RESULTS_BUCKET: Match.anyValue() },
        JOB_END_QUEUE_URL: Match.absent(),
      }),
    },
  });
});
