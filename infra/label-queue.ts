import { type Duration, Stack } from 'aws-cdk-lib';
import type { ISecurityGroup, ISubnet } from 'aws-cdk-lib/aws-ec2';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Architecture, Code, Function as LambdaFunction, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { allowLogs } from './encryption.ts';
import { sweepAlarm } from './events/alarms.ts';
import { Sweep } from './events/sweep.ts';
import { acknowledgeObjects, type ObjectPatterns } from './function/permissions.ts';
import { serviceConfigOf } from './label-queue-config.ts';
import { Alarms } from './monitoring/alarms.ts';
import { queueAlarms } from './queue/alarms.ts';
import { JobQueues } from './queue/job-queues.ts';
import { ResultsBucket } from './results/results-bucket.ts';
import { recursionAlarm, workerAlarms } from './worker/alarms.ts';
import { ClassifyWorker } from './worker/classify-worker.ts';
import { WorkerMetrics } from './worker/metrics.ts';

/** A model folder in S3, in place of the model in the package. */
export interface LabelQueueModel {
  /** `s3://bucket/prefix/`, with a slash at its end. */
  readonly s3Uri: string;
  /** SHA-256 of the folder's SHA256SUMS: 64 hex digits. */
  readonly sha256: string;
  /**
   * Whether the model may use operations that do more than compute. The hash says which model it is, not what it does.
   * @default false
   */
  readonly trusted?: boolean | undefined;
  /** ARN of the KMS key under which its objects are. @default - a key of S3's own */
  readonly kmsKeyArn?: string | undefined;
}

/** Settings of a `LabelQueue`. Only `code` is required. */
export interface LabelQueueProps {
  /** The packaged worker: `LambdaCode.fromPath`, `LambdaCode.fromRelease`, or `Code.fromBucket` of the CDK. */
  readonly code: Code;
  /**
   * The dimension `service` of its metrics in CloudWatch and the first part of its alarms' names, so unique in an account
   * and region. At most 80 characters.
   * @default - the names of the stack and the construct, `Photos-Images`
   */
  readonly serviceName?: string | undefined;
  /** Processors of the functions; `code` must be packaged for the same. @default Architecture.X86_64 */
  readonly architecture?: Architecture | undefined;
  /** Memory of the worker in MiB, 1,536 to 10,240. 1,769 are one vCPU. @default 1769 */
  readonly memoryMb?: number | undefined;
  /** Invocations of the worker at once, 2 to 1,000. A new account has 10 for all of its functions together. @default 8 */
  readonly maximumConcurrency?: number | undefined;
  /** Pollers that never scale to 0, in place of `maximumConcurrency`; paid for by the hour. @default - none */
  readonly provisionedPollers?: { readonly minimum: number; readonly maximum: number } | undefined;
  /** Messages per invocation, 1 to 10,000; above 10 a window is needed. @default 10 */
  readonly batchSize?: number | undefined;
  /** How long Lambda waits for a batch to fill, at most 5 minutes. @default Duration.seconds(0) */
  readonly batchWindow?: Duration | undefined;
  /** @default - the model in the package */
  readonly model?: LabelQueueModel | undefined;
  /** `float32` computes in 32-bit floats on x86 as well, at up to twice the price. @default 'auto' */
  readonly modelPrecision?: 'auto' | 'float32' | undefined;
  /** Labels per result line. @default 5 */
  readonly topK?: number | undefined;
  /** Whether each result line has the embedding of its image, 3.4 kB. @default false */
  readonly embedding?: boolean | undefined;
  /** Sent to image servers as `User-Agent`; name a contact. @default 'labelqueue/<version>' */
  readonly fetchUserAgent?: string | undefined;
  /**
   * Buckets whose objects `s3://` URLs may name. The worker may read all of their objects, and they may send
   * object-created events to the queue.
   * @default - none
   */
  readonly sourceBuckets?: readonly Pick<IBucket, 'bucketName'>[] | undefined;
  /** ARNs of the KMS keys under which objects of `sourceBuckets` are. @default - none */
  readonly sourceKmsKeyArns?: readonly string[] | undefined;
  /** Where the functions run; needs `securityGroups`. @default - outside of any VPC */
  readonly subnets?: readonly Pick<ISubnet, 'subnetId'>[] | undefined;
  /** Of the functions in `subnets`. @default - none */
  readonly securityGroups?: readonly Pick<ISecurityGroup, 'securityGroupId'>[] | undefined;
  /** `host:port` of servers in the VPC that may be fetched from although their addresses are private. @default - none */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Encrypts queues, bucket and logs. The policy of a key of the same app is extended by what CloudWatch Logs needs.
   * @default - keys of SQS's and S3's own
   */
  readonly encryptionKey?: IKey | undefined;
  /** When results, failures and job files are deleted; whole days. @default - never */
  readonly resultsExpireAfter?: Duration | undefined;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays | undefined;
  /** Gets the alarms; AWS asks the address to confirm. @default - none: subscribe to `alarms.topic` */
  readonly alarmEmail?: string | undefined;
  /** The oldest message may wait so long before an alarm; whole minutes. @default Duration.hours(1) */
  readonly oldestMessageAlarm?: Duration | undefined;
  /** The share of images that may fail within a quarter of an hour before an alarm. @default 0.25 */
  readonly failureShareAlarm?: number | undefined;
  /** `Tracing.ACTIVE` sends traces of the functions to AWS X-Ray. @default Tracing.DISABLED */
  readonly tracing?: Tracing | undefined;
  /** False keeps the worker from taking messages: they wait in the queue. @default true */
  readonly takesMessages?: boolean | undefined;
}

const ANY_JOB = 'Their names are those of jobs and of what is in them: the grant is for all jobs.';
const objects = (...patterns: string[]): ObjectPatterns =>
  Object.fromEntries(patterns.map((pattern) => [pattern, ANY_JOB]));

/** What describes a job: what `enqueue` writes, and reads when it resumes. */
const WRITTEN_BY_ENQUEUE = objects('jobs/*', 'runs/*');
const READ_BY_ENQUEUE = objects('jobs/*', 'runs/*', 'cancelled/*');
const READ = objects('results/*', 'failures/*', 'jobs/*', 'runs/*', 'cancelled/*');

/**
 * A queue of image URLs, the worker that labels them, and the bucket that gets one JSON line per image.
 *
 * Queues and bucket are encrypted, take TLS only, are closed to the public, and stay when their stack is deleted: they hold
 * images without an outcome, and results. Alarms go to a topic without a subscription unless `alarmEmail` is set.
 */
export class LabelQueue extends Construct {
  /** Takes messages with up to 1,000 image URLs each. */
  readonly queue: Queue;
  /** Gets images that failed permanently, malformed messages, and messages that SQS gave up. */
  readonly deadLetterQueue: Queue;
  /** Has result lines under `results/`, failure lines under `failures/`, and descriptions of jobs. */
  readonly results: Bucket;
  /** Labels the images of messages. */
  readonly worker: LambdaFunction;
  /** The worker's log. */
  readonly logGroup: LogGroup;
  /** Every half hour writes failure lines of messages that SQS moved to the dead-letter queue. */
  readonly sweep: Sweep;
  /** What the worker counts and measures, for dashboards and alarms of your own. */
  readonly metrics: WorkerMetrics;
  /** The alarms and their topic. */
  readonly alarms: Alarms;
  readonly #encryptionKey: IKey | undefined;

  /** @throws {LabelQueuePropsError} when settings are out of range or do not fit together */
  constructor(scope: Construct, id: string, props: LabelQueueProps) {
    super(scope, id);
    const { code, encryptionKey, takesMessages = true } = props;
    const config = serviceConfigOf(props, {
      source: this.node.path,
      serviceName: props.serviceName ?? serviceNameOf(this),
    });
    this.#encryptionKey = encryptionKey;
    if (encryptionKey !== undefined) allowLogs(encryptionKey);
    const queues = new JobQueues(this, 'Jobs', config);
    this.queue = queues.queue;
    this.deadLetterQueue = queues.deadLetterQueue;
    this.results = new ResultsBucket(this, 'Results', {
      expireAfterDays: config.resultsExpireAfterDays,
      key: encryptionKey,
    }).bucket;
    const shared = { config, code, queues, results: this.results };
    const { function: worker, logGroup } = new ClassifyWorker(this, 'Classify', { ...shared, takesMessages });
    this.worker = worker;
    this.logGroup = logGroup;
    this.sweep = new Sweep(this, 'Sweep', shared);
    this.metrics = new WorkerMetrics(config.serviceName, worker);
    this.alarms = new Alarms(this, 'Alarms', config);
    this.alarms.add([
      ...queueAlarms(queues, config, this.metrics),
      ...workerAlarms(worker, config, this.metrics),
      recursionAlarm(worker),
      sweepAlarm(this.sweep),
    ]);
  }

  /**
   * Lets somebody enqueue jobs as `enqueue` of the package does: send messages, and describe jobs in the bucket. To send
   * messages alone, `queue.grantSendMessages` is enough.
   */
  grantEnqueue(grantee: IGrantable): Grant {
    return this.queue
      .grant(grantee, 'sqs:SendMessage')
      .combine(this.#grantObjects(grantee, 's3:PutObject', WRITTEN_BY_ENQUEUE))
      .combine(this.#grantObjects(grantee, 's3:GetObject', READ_BY_ENQUEUE))
      .combine(this.#grantList(grantee))
      .combine(this.#grantKey(grantee, 'kms:Decrypt', 'kms:GenerateDataKey'));
  }

  /** Lets somebody read result lines, failure lines and the status of jobs. */
  grantReadResults(grantee: IGrantable): Grant {
    return this.#grantObjects(grantee, 's3:GetObject', READ)
      .combine(this.#grantList(grantee))
      .combine(this.queue.grant(grantee, 'sqs:GetQueueAttributes'))
      .combine(this.deadLetterQueue.grant(grantee, 'sqs:GetQueueAttributes'))
      .combine(this.#grantKey(grantee, 'kms:Decrypt'));
  }

  /** Not `results.grantRead` and `grantPut`: these allow `s3:GetObject*`, `s3:GetBucket*`, `s3:Abort*` and tags as well. */
  #grantObjects(grantee: IGrantable, action: 's3:GetObject' | 's3:PutObject', patterns: ObjectPatterns): Grant {
    if (Construct.isConstruct(grantee)) acknowledgeObjects(grantee, this.results, patterns);
    const resourceArns = Object.keys(patterns).map((pattern) => this.results.arnForObjects(pattern));
    return Grant.addToPrincipalOrResource({ grantee, actions: [action], resourceArns, resource: this.results });
  }

  /** Without it S3 says "forbidden" of objects that do not exist. */
  #grantList(grantee: IGrantable): Grant {
    const resourceArns = [this.results.bucketArn];
    return Grant.addToPrincipalOrResource({
      ...{ grantee, actions: ['s3:ListBucket'], resourceArns, resource: this.results },
    });
  }

  #grantKey(grantee: IGrantable, ...actions: string[]): Grant {
    return this.#encryptionKey?.grant(grantee, ...actions) ?? Grant.drop(grantee, 'queues and bucket have no key');
  }
}

/** The stack's name, and the ids from there to the construct. A stack's name is unique in an account and region. */
function serviceNameOf(construct: LabelQueue): string {
  const stack = Stack.of(construct);
  const below = construct.node.scopes.slice(stack.node.scopes.length).map(({ node }) => node.id);
  return [stack.stackName, ...below.filter((id) => id !== 'Default')].join('-');
}
