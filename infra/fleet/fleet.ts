import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { WORKER_PROCESS_ENVIRONMENT } from '../../shared/runtime/worker-process.ts';
import { workerEnvironment } from '../function/packaged-function.ts';
import type { Queues } from '../queue/job-queues.ts';
import { type StackConfig, stageTags } from '../stage-config.ts';
import { DRAIN_SECONDS } from './drain.ts';
import { type FleetConfig, instanceTypesOf } from './fleet-config.ts';
import { GroupMetrics } from './group-metrics.ts';
import { instanceGroup } from './instance-group.ts';
import { instanceRole } from './instance-role.ts';
import { launchTemplate } from './launch-template.ts';
import { fleetNetwork } from './network.ts';
import { scaleByBacklog } from './scaling.ts';
import { userData } from './user-data.ts';

/** On 127.0.0.1: health and Prometheus metrics, for the instance itself. */
const HEALTH_PORT = 9_464;

export type FleetProps = {
  config: StackConfig;
  fleet: FleetConfig;
  /** Path of the zip that `npm run package` makes: the one that Lambda runs, too. */
  packagePath: string;
  /** Path of the zip with Node, which Lambda has itself. */
  nodePath: string;
  queues: Queues;
  results: Bucket;
  /** The worker's: instances write streams of it, so that all lines are in one place. */
  logGroup: LogGroup;
  /** Where workers ask for looks at the ends of jobs; undefined for a stage that announces none. */
  jobEndQueue: IQueue | undefined;
};

/** Workers on EC2: an Auto Scaling group from 0 instances, on Spot by default, that run the package of the stage. */
export class Fleet extends Construct {
  readonly metrics: GroupMetrics;
  readonly instanceTypes: readonly string[];
  readonly volumeGb: number;

  constructor(scope: Construct, id: string, props: FleetProps) {
    super(scope, id);
    const { config, fleet, queues, results, logGroup, jobEndQueue } = props;
    const { stackName, region } = Stack.of(this);
    // Named beforehand: the group's instances name it themselves, and their role may do nothing with another.
    const groupName = `${stackName}-fleet`;
    this.metrics = new GroupMetrics(groupName, stackName);
    this.instanceTypes = instanceTypesOf(fleet, config.architecture);
    this.volumeGb = fleet.volumeGb;
    const workerPackage = new Asset(this, 'Package', { path: props.packagePath });
    const node = new Asset(this, 'Node', { path: props.nodePath });
    const network = fleetNetwork(this, config, fleet);
    const role = instanceRole(this, {
      ...{ config, queues, results, logGroup, jobEndQueue, groupName, ssmAccess: fleet.ssmAccess },
      assets: [workerPackage, node],
    });
    const template = launchTemplate(this, {
      architecture: config.architecture,
      role,
      securityGroupIds: network.securityGroupIds,
      volumeGb: fleet.volumeGb,
      tags: stageTags(config),
      userData: userData({
        ...{ region, groupName, service: stackName, logGroupName: logGroup.logGroupName },
        packageUrl: workerPackage.s3ObjectUrl,
        nodeUrl: node.s3ObjectUrl,
        healthPort: HEALTH_PORT,
        environment: instanceEnvironment(region, props),
      }),
    });
    const group = instanceGroup(this, {
      ...{ name: groupName, fleet, template, subnetIds: network.subnetIds, instanceTypes: this.instanceTypes },
    });
    group.node.addDependency(...network.ways);
    scaleByBacklog(this, { group, queues, metrics: this.metrics, fleet });
    new CfnOutput(Stack.of(this), 'FleetGroupName', { value: group.ref });
  }
}

/** The settings of the worker on Lambda, and those of the loop around it. */
function instanceEnvironment(region: string, props: FleetProps): Record<string, string> {
  return {
    ...WORKER_PROCESS_ENVIRONMENT,
    AWS_REGION: region,
    NODE_ENV: 'production',
    ...workerEnvironment(props),
    ...(props.jobEndQueue !== undefined && { JOB_END_QUEUE_URL: props.jobEndQueue.queueUrl }),
    WORK_DRAIN_SECONDS: String(DRAIN_SECONDS),
    WORK_PORT: String(HEALTH_PORT),
    // A recommendation to rebalance changes nothing here: the worker goes on until the group takes the instance away.
    WORK_SPOT: 'interruption',
  };
}
