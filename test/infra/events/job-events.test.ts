import { expect, test } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { StageConfigError, stageConfig } from '../../../infra/stage-config.ts';
import { END_LOOK_DELAY_SECONDS, END_LOOK_WINDOW_MS } from '../../../shared/contract/limits.ts';
import { templateOf } from '../synthesized.ts';

const template = templateOf({ api: {}, jobEvents: { topic: true, webhookSecretParameter: '/labelqueue/webhooks' } });

test('checks are in a FIFO queue, delayed by more than a window, and move to a DLQ with an alarm', () => {
  template.hasResourceProperties('AWS::SQS::Queue', {
    FifoQueue: true,
    DelaySeconds: END_LOOK_DELAY_SECONDS,
    VisibilityTimeout: 6 * 60,
    RedrivePolicy: { deadLetterTargetArn: Match.anyValue(), maxReceiveCount: 30 },
  });
  expect(END_LOOK_DELAY_SECONDS * 1_000).toBeGreaterThanOrEqual(END_LOOK_WINDOW_MS + 5_000);
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp('#unannounced-ends$'),
  });
});

test('checks are processed one at a time, by at most two environments', () => {
  template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
    BatchSize: 1,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
  });
});

test('the function has the places to announce to, and workers, sweep and API the queue of checks', () => {
  const variables = (expected: object) => ({ Environment: { Variables: Match.objectLike(expected) } });
  template.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'announce.handler',
    ...variables({
      JOB_EVENT_BUS: 'default',
      JOB_EVENT_TOPIC_ARN: Match.anyValue(),
      WEBHOOK_SECRET_PARAMETER: '/labelqueue/webhooks',
      JOB_END_QUEUE_URL: Match.anyValue(),
    }),
  });
  template.resourcePropertiesCountIs(
    'AWS::Lambda::Function',
    variables({ QUEUE_URL: Match.anyValue(), JOB_END_QUEUE_URL: Match.anyValue() }),
    3,
  );
});

test('a stage without it has no queue, no function and no permission for it', () => {
  const without = JSON.stringify(templateOf({ api: {} }).toJSON());
  for (const word of ['FifoQueue', 'announce', 'JOB_END', 'events:PutEvents']) expect(without).not.toContain(word);
});

test('true means an event of EventBridge, and no topic', () => {
  expect(stageConfig('test', { jobEvents: true }).jobEvents).toEqual({ topic: false });
  templateOf({ jobEvents: true }).resourcePropertiesCountIs(
    'AWS::Lambda::Function',
    { Environment: { Variables: { JOB_EVENT_TOPIC_ARN: Match.anyValue() } } },
    0,
  );
});

test.each([false, 'yes', { topics: true }, { webhookSecretParameter: 'whsec_ not a name' }])(
  'jobEvents of %j is refused',
  (jobEvents) => {
    expect(() => stageConfig('test', { jobEvents })).toThrow(StageConfigError);
  },
);
