import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AccessPolicies } from './access-policies.ts';
import { HttpApi } from './api/http-api.ts';
import { ChatBot } from './chat/chat-bot.ts';
import { stageKey } from './encryption.ts';
import { JobEvents } from './events/job-events.ts';
import { Sweep } from './events/sweep.ts';
import { Fleet } from './fleet/fleet.ts';
import { Alarms } from './monitoring/alarms.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import { JobQueues } from './queue/job-queues.ts';
import { ResultTables } from './results/result-tables.ts';
import { ResultsBucket } from './results/results-bucket.ts';
import type { StageConfig } from './stage-config.ts';
import { ClassifyWorker } from './worker/classify-worker.ts';
import { WorkerMetrics } from './worker/metrics.ts';

export type LabelqueueStackProps = StackProps & {
  config: StageConfig;
  /** Path of the zip that `npm run package` makes. */
  packagePath: string;
  /** Path of the zip with Node, which instances of a fleet need beside the package. */
  nodePath: string;
};

/** One stage of the service. */
export class LabelqueueStack extends Stack {
  constructor(scope: Construct, id: string, { config, packagePath, nodePath, ...props }: LabelqueueStackProps) {
    super(scope, id, { description: 'labelqueue: asynchronous batch image classification', ...props });
    const key = stageKey(this, config);
    const queues = new JobQueues(this, 'Jobs', config, key);
    const { bucket } = new ResultsBucket(this, 'Results', { expireAfterDays: config.resultsExpireAfterDays, key });
    const { function: worker, logGroup } = new ClassifyWorker(this, 'Classify', {
      config,
      packagePath,
      queues,
      results: bucket,
    });
    const api =
      config.api && new HttpApi(this, 'Api', { config, api: config.api, packagePath, queues, results: bucket });
    const chat = config.chatbot && new ChatBot(this, 'Chat', { config, chatbot: config.chatbot, packagePath });
    const jobEvents =
      config.jobEvents &&
      new JobEvents(this, 'JobEvents', { config, jobEvents: config.jobEvents, packagePath, results: bucket });
    const sweep = new Sweep(this, 'Sweep', { config, packagePath, queues, results: bucket });
    for (const asking of [worker, sweep.function, ...(api === undefined ? [] : [api.function])]) {
      jobEvents?.askedBy(asking);
    }
    const fleet =
      config.fleet &&
      new Fleet(this, 'Fleet', {
        ...{ config, fleet: config.fleet, packagePath, nodePath, queues, results: bucket, logGroup },
        jobEndQueue: jobEvents?.queue,
      });
    const metrics = new WorkerMetrics(this.stackName, worker);
    const { topic, names: alarmNames } = new Alarms(this, 'Alarms', {
      ...{ config, queues, worker, metrics, sweep, api, chat, jobEvents, fleet },
    });
    const dashboard = new Dashboard(this, 'Operations', {
      ...{ config, queues, worker, metrics, alarmNames, sweep, api, chat, jobEvents, fleet },
    });
    const logGroups = [logGroup, sweep.logGroup, ...[api, chat, jobEvents].flatMap((made) => made?.logGroup ?? [])];
    new AccessPolicies(this, 'Access', {
      ...{ config, queues, results: bucket, logGroups, jobEvents },
    });
    if (config.athena) new ResultTables(this, 'Tables', { bucket, kmsKeyArn: config.kmsKeyArn });

    // `labelqueue --stack` reads the first three.
    new CfnOutput(this, 'QueueUrl', { value: queues.queue.queueUrl });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: queues.deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ResultsBucketName', { value: bucket.bucketName });
    new CfnOutput(this, 'FunctionName', { value: worker.functionName });
    new CfnOutput(this, 'LogGroupName', { value: logGroup.logGroupName });
    new CfnOutput(this, 'AlarmTopicArn', { value: topic.topicArn });
    new CfnOutput(this, 'SweepLogGroupName', { value: sweep.logGroup.logGroupName });
    if (api !== undefined) {
      new CfnOutput(this, 'ApiUrl', { value: api.api.apiEndpoint });
      new CfnOutput(this, 'ApiFunctionName', { value: api.function.functionName });
      new CfnOutput(this, 'ApiLogGroupName', { value: api.logGroup.logGroupName });
    }
    if (chat !== undefined) {
      new CfnOutput(this, 'BotId', { value: chat.botId });
      new CfnOutput(this, 'BotAliasId', { value: chat.botAliasId });
      new CfnOutput(this, 'ChatFunctionName', { value: chat.function.functionName });
      new CfnOutput(this, 'ChatLogGroupName', { value: chat.logGroup.logGroupName });
    }
    if (jobEvents !== undefined) {
      // `labelqueue --stack` reads it, too.
      new CfnOutput(this, 'JobEndQueueUrl', { value: jobEvents.queue.queueUrl });
      new CfnOutput(this, 'JobEndDeadLetterQueueUrl', { value: jobEvents.deadLetterQueue.queueUrl });
      new CfnOutput(this, 'AnnounceLogGroupName', { value: jobEvents.logGroup.logGroupName });
      if (jobEvents.topic !== undefined) new CfnOutput(this, 'JobEventTopicArn', { value: jobEvents.topic.topicArn });
    }
    new CfnOutput(this, 'DashboardUrl', {
      value: `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${dashboard.name}`,
    });
  }
}
