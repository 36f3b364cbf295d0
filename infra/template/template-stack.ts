import {
  type App,
  Aws,
  type CfnCondition,
  CfnOutput,
  DefaultStackSynthesizer,
  Fn,
  type IResolvable,
  type IStackSynthesizer,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import { CfnPolicy, type CfnRole } from 'aws-cdk-lib/aws-iam';
import { type CfnFunction, Code, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import type { CfnQueuePolicy, QueuePolicy } from 'aws-cdk-lib/aws-sqs';
import { interfaceStatement, noInterfacesByCode } from '../function/network.ts';
import { wildcardOf } from '../function/permissions.ts';
import { LabelQueue } from '../label-queue.ts';
import { eventsOf } from '../queue/policies.ts';
import { BucketArns } from './bucket-arns.ts';
import { isGiven, PARAMETER_GROUPS, type TemplateParameters, templateParameters } from './template-parameters.ts';
import { addTemplateRules } from './template-rules.ts';

/**
 * The construct as a template with parameters, for people without the CDK: no assets, and nothing of `cdk bootstrap`. What a
 * parameter turns on stands in the template as `Fn::If`, which the construct has no settings for.
 */
export class TemplateStack extends Stack {
  readonly #jobs: LabelQueue;
  readonly #parameters: TemplateParameters;

  constructor(app: App) {
    super(app, 'labelqueue', {
      description: 'labelqueue: asynchronous batch image classification',
      // Its type is that of the interface, but for an optional property that may be undefined.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
    });
    this.templateOptions.metadata = PARAMETER_GROUPS;
    this.#parameters = templateParameters(this);
    addTemplateRules(this, this.#parameters);
    const { PackageBucket, PackageKey, MemoryMb, MaximumConcurrency, TopK, LogRetentionDays } = this.#parameters;
    const packages = Bucket.fromBucketName(this, 'Packages', PackageBucket.valueAsString);
    Validations.of(packages).acknowledge({
      id: 'Annotation::@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified',
      reason: 'Another package has another key, as the parameter says.',
    });
    this.#jobs = new LabelQueue(this, 'Default', {
      code: Code.fromBucket(packages, PackageKey.valueAsString),
      serviceName: Aws.STACK_NAME,
      memoryMb: MemoryMb.valueAsNumber,
      maximumConcurrency: MaximumConcurrency.valueAsNumber,
      topK: TopK.valueAsNumber,
      logRetention: LogRetentionDays.valueAsNumber,
    });
    for (const fn of [this.#jobs.worker, this.#jobs.sweep.function]) {
      cfn(fn).addPropertyOverride('Architectures', [this.#parameters.Architecture.valueAsString]);
    }
    this.#addNetwork();
    this.#addSourceBuckets();
    this.#addUserAgent();
    this.#addAlarmEmail();
    this.#addOutputs();
  }

  #addNetwork(): void {
    const { SubnetIds, SecurityGroupIds, AllowedHosts } = this.#parameters;
    const inVpc = isGiven(this, SubnetIds);
    const vpcConfig = { SubnetIds: SubnetIds.valueAsList, SecurityGroupIds: SecurityGroupIds.valueAsList };
    for (const fn of [this.#jobs.worker, this.#jobs.sweep.function]) {
      cfn(fn).addPropertyOverride('VpcConfig', ifHolds(inVpc, vpcConfig));
      Validations.of(fn).acknowledge(...EMPTY_LISTS_ARE_NOT_USED);
      cfn(fn).addMetadata('cfn-lint', { config: { ignore_checks: ['W3005', 'E1150', 'E1151', 'E3031'] } });
      // In the role itself, which is there before the function: Lambda makes interfaces as soon as it makes that. A policy
      // that is there under a condition could not be waited for; this one says the opposite where the condition does not hold.
      const Effect = Fn.conditionIf(inVpc.logicalId, 'Allow', 'Deny');
      const network = documentOf([{ ...interfaceStatement().toStatementJson(), Effect }]);
      roleOf(fn).addPropertyOverride('Policies.1', { PolicyName: 'network', PolicyDocument: network });
      policyIf(inVpc, fn, 'NoInterfacesByCode', [noInterfacesByCode(fn).toStatementJson()]);
    }
    const hosts = Fn.join(',', AllowedHosts.valueAsList);
    setVariable(this.#jobs.worker, 'ALLOWED_HOSTS', ifHolds(isGiven(this, AllowedHosts), hosts));
  }

  #addSourceBuckets(): void {
    const { SourceBuckets } = this.#parameters;
    const { worker, queue, results } = this.#jobs;
    const given = isGiven(this, SourceBuckets);
    const arns = new BucketArns(this, SourceBuckets);
    const reading = policyIf(given, worker, 'Sources', [
      { Effect: 'Allow', Action: 's3:GetObject', Resource: arns.with('/*') },
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: arns.with('') },
    ]);
    Validations.of(reading).acknowledge({
      id: wildcardOf(JSON.stringify(this.resolve(arns.with('/*')))),
      reason: 'The parameter names these buckets as ones whose images may be classified.',
    });
    const policy = queue.node.findChild('Policy') as QueuePolicy;
    const statements = policy.document.statementCount;
    (policy.node.defaultChild as CfnQueuePolicy).addPropertyOverride(
      `PolicyDocument.Statement.${statements}`,
      ifHolds(given, eventsOf(arns.with(''), queue).toStatementJson()),
    );
    const names = Fn.join(',', [results.bucketName, Fn.join(',', SourceBuckets.valueAsList)]);
    setVariable(worker, 'SOURCE_BUCKETS', Fn.conditionIf(given.logicalId, names, results.bucketName));
  }

  #addUserAgent(): void {
    const { FetchUserAgent } = this.#parameters;
    const userAgent = ifHolds(isGiven(this, FetchUserAgent), FetchUserAgent.valueAsString);
    setVariable(this.#jobs.worker, 'FETCH_USER_AGENT', userAgent);
  }

  #addAlarmEmail(): void {
    const { AlarmEmail } = this.#parameters;
    const { topicArn } = this.#jobs.alarms.topic;
    const props = { protocol: 'email', endpoint: AlarmEmail.valueAsString, topicArn };
    new CfnSubscription(this, 'AlarmSubscription', props).cfnOptions.condition = isGiven(this, AlarmEmail);
  }

  /** With the names of the project's own stack: `labelqueue --stack` reads them. */
  #addOutputs(): void {
    const { queue, deadLetterQueue, results, worker, logGroup, alarms } = this.#jobs;
    new CfnOutput(this, 'QueueUrl', { value: queue.queueUrl });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: deadLetterQueue.queueUrl });
    new CfnOutput(this, 'ResultsBucketName', { value: results.bucketName });
    new CfnOutput(this, 'FunctionName', { value: worker.functionName });
    new CfnOutput(this, 'LogGroupName', { value: logGroup.logGroupName });
    const architecture = this.#parameters.Architecture.valueAsString;
    const maximumConcurrency = this.#parameters.MaximumConcurrency.valueAsNumber;
    new CfnOutput(this, 'Workers', { value: this.toJsonString({ architecture, maximumConcurrency }) });
    new CfnOutput(this, 'AlarmTopicArn', { value: alarms.topic.topicArn });
  }
}

/** Validators put the default of a parameter in, and do not look at the condition. */
const EMPTY_LISTS_ARE_NOT_USED = ['F3031', 'E1150', 'E1151'].map((rule) => ({
  id: `CloudFormation-Validate::${rule}`,
  reason: 'Subnets and security groups are used under the condition that they are given.',
}));

function cfn(fn: LambdaFunction): CfnFunction {
  return fn.node.defaultChild as CfnFunction;
}

/** @returns what stands in a template for a value that is there under a condition */
function ifHolds(condition: CfnCondition, value: unknown): IResolvable {
  return Fn.conditionIf(condition.logicalId, value, Aws.NO_VALUE);
}

function setVariable(fn: LambdaFunction, name: string, value: IResolvable): void {
  cfn(fn).addPropertyOverride(`Environment.Variables.${name}`, value);
}

function documentOf(statements: readonly object[]): object {
  return { Version: '2012-10-17', Statement: statements };
}

function roleOf(fn: LambdaFunction): CfnRole {
  return fn.role?.node.defaultChild as CfnRole;
}

/** A policy of the function's role that is there under a condition. */
function policyIf(condition: CfnCondition, fn: LambdaFunction, id: string, statements: readonly object[]): CfnPolicy {
  const policy = new CfnPolicy(fn, id, {
    policyName: id,
    policyDocument: documentOf(statements),
    roles: [roleOf(fn).ref],
  });
  policy.cfnOptions.condition = condition;
  return policy;
}
