import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, Code, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type StageWorkers, stageWorkersSchema } from '../shared/contract/stage-workers.ts';
import { AccessPolicies } from './access-policies.ts';
import { apiAlarms } from './api/alarms.ts';
import { HttpApi } from './api/http-api.ts';
import { chatAlarms } from './chat/alarms.ts';
import { ChatBot } from './chat/chat-bot.ts';
import { jobEventAlarms } from './events/alarms.ts';
import { JobEvents } from './events/job-events.ts';
import { fleetAlarms } from './fleet/alarms.ts';
import { Fleet } from './fleet/fleet.ts';
import { instanceTypesOf } from './fleet/fleet-config.ts';
import { LabelQueue, type LabelQueueProps } from './label-queue.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import { allowProducers } from './queue/policies.ts';
import { ResultTables } from './results/result-tables.ts';
import { DEFAULT_MAXIMUM_CONCURRENCY } from './service-config.ts';
import type { StackConfig, StageConfig } from './stage-config.ts';

export type LabelqueueStackProps = StackProps & {
  config: StageConfig;
  /** Path of the zip that `npm run package` makes. */
  packagePath: string;
  /** Path of the zip with Node, which instances of a fleet need beside the package. */
  nodePath: string;
};

/** One stage of the service. */
export class LabelqueueStack extends Stack {
  constructor(scope: Construct, id: string, { config: stage, packagePath, nodePath, ...props }: LabelqueueStackProps) {
    super(scope, id, { description: 'labelqueue: asynchronous batch image classification', ...props });
    const { kmsKeyArn } = stage;
    const encryptionKey = kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', kmsKeyArn);
    const config: StackConfig = { ...stage, serviceName: this.stackName, encryptionKey };
    const code = Code.fromAsset(packagePath);
    // The CDK leaves this id out of logical ids: what existing stacks have keeps its names.
    const jobs = new LabelQueue(this, 'Default', { code, ...labelQueuePropsOf(config) });
    const { queue, deadLetterQueue, results, worker, logGroup, sweep, metrics, alarms } = jobs;
    allowProducers(config.allowProducers ?? [], queue);
    const queues = { queue, deadLetterQueue };
    const api = config.api && new HttpApi(this, 'Api', { config, api: config.api, code, queues, results });
    const chat = config.chatbot && new ChatBot(this, 'Chat', { config, chatbot: config.chatbot, code });
    const jobEvents =
      config.jobEvents && new JobEvents(this, 'JobEvents', { config, jobEvents: config.jobEvents, code, results });
    for (const fn of [worker, sweep.function, ...(api === undefined ? [] : [api.function])]) jobEvents?.askedBy(fn);
    const fleet =
      config.fleet &&
      new Fleet(this, 'Fleet', {
        ...{ config, fleet: config.fleet, packagePath, nodePath, queues, results, logGroup },
        jobEndQueue: jobEvents?.queue,
      });
    alarms.add([...apiAlarms(api), ...chatAlarms(chat), ...jobEventAlarms(jobEvents), ...fleetAlarms(fleet, queues)]);
    const dashboard = new Dashboard(this, 'Operations', {
      ...{ config, queues, worker, metrics, alarmNames: alarms.names, sweep, api, chat, jobEvents, fleet },
    });
    const logGroups = [logGroup, sweep.logGroup, ...[api, chat, jobEvents].flatMap((part) => part?.logGroup ?? [])];
    new AccessPolicies(this, 'Access', { config, queues, results, logGroups, jobEvents });
    if (config.athena) new ResultTables(this, 'Tables', { bucket: results, kmsKeyArn });

    // `labelqueue --stack` reads the first three.
    new CfnOutput(this, 'QueueUrl', { value: queue.queueUrl });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ResultsBucketName', { value: results.bucketName });
    new CfnOutput(this, 'FunctionName', { value: worker.functionName });
    new CfnOutput(this, 'LogGroupName', { value: logGroup.logGroupName });
    new CfnOutput(this, 'AlarmTopicArn', { value: alarms.topic.topicArn });
    // `enqueue --dry-run` reads it.
    new CfnOutput(this, 'Workers', { value: JSON.stringify(stageWorkersOf(config)) });
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

/** What an estimate of a job depends on. */
function stageWorkersOf(config: StackConfig): StageWorkers {
  const { architecture, modelPrecision, fleet, provisionedPollers } = config;
  const maximumConcurrency =
    provisionedPollers === undefined ? (config.maximumConcurrency ?? DEFAULT_MAXIMUM_CONCURRENCY) : undefined;
  const ofFleet = fleet && { queue: fleet.queue, maxInstances: fleet.maxInstances };
  const instanceTypes = fleet === undefined ? [] : [...instanceTypesOf(fleet, architecture)];
  return stageWorkersSchema.parse({ architecture, modelPrecision, maximumConcurrency, instanceTypes, ...ofFleet });
}

/** The options of a stage as settings of the construct. */
function labelQueuePropsOf(config: StackConfig): Omit<LabelQueueProps, 'code'> {
  const { resultsExpireAfterDays, vpc, ...options } = config;
  return {
    ...options,
    architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    batchWindow: Duration.seconds(config.batchWindowSeconds),
    sourceBuckets: config.sourceBuckets.map((bucketName) => ({ bucketName })),
    ...(vpc !== undefined && {
      subnets: vpc.subnetIds.map((subnetId) => ({ subnetId })),
      securityGroups: vpc.securityGroupIds.map((securityGroupId) => ({ securityGroupId })),
    }),
    ...(resultsExpireAfterDays !== undefined && { resultsExpireAfter: Duration.days(resultsExpireAfterDays) }),
    logRetention: config.logRetentionDays,
    oldestMessageAlarm: Duration.minutes(config.oldestMessageAlarmMinutes),
    tracing: config.tracing === 'xray' ? Tracing.ACTIVE : Tracing.DISABLED,
    takesMessages: config.fleet?.queue !== 'fleet',
  };
}
