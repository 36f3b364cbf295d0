import { assumedText } from '../../shared/contract/cost.ts';
import { FLEET_PRICES, FLEET_PROCESSOR, SPOT_DISCOUNT } from '../../shared/contract/fleet-cost.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import type { Assumption } from './assumptions.ts';

/** What the simulation of a fleet is given. No instance was ever started on EC2. */
export const FLEET_ASSUMPTIONS = {
  bootSeconds: {
    value: 120,
    says: 'seconds from the start of an instance to its worker being ready, which are paid for: EC2 and the system, two zips of 190 MB from S3, unpacking, and a model that is loaded in each process',
    source:
      'Assumed; of that, the part behind the download took about 10 s on two cores here (`test/infra/fleet/instance.test.ts`)',
  },
  metricDelaySeconds: {
    value: 120,
    says: 'seconds until CloudWatch has the first figures of the queue and the alarm has evaluated them; up to 15 minutes when the queue was not used for six hours',
    source:
      'Assumed for a queue in use; AWS, [CloudWatch metrics for SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html)',
  },
  vcpuHourUsd: {
    value: FLEET_PRICES.vcpuHour,
    says: 'dollars an hour of a vCPU of c7a on demand, us-east-1; a vCPU is a whole core there',
    source: 'AWS, [EC2 on-demand pricing](https://aws.amazon.com/ec2/pricing/on-demand/), 2026-11, at second hand',
  },
  spotDiscount: {
    value: SPOT_DISCOUNT,
    says: 'of that is what Spot costs less. It changes by zone, type and hour, without a guarantee',
    source: 'Assumed',
  },
} as const satisfies Record<string, Assumption>;

/** What it leaves out or makes simple. */
export const FLEET_SIMPLIFICATIONS: readonly string[] = [
  `A vCPU does what the benchmark measured natively on one core (${assumedText(FLEET_PROCESSOR)}), and four do four times that. Beside the instances, an address ($${FLEET_PRICES.addressHour} an hour each) and a disk are paid for; SQS, S3 and logs are not in these prices, see [cost](cost.md#on-a-fleet).`,
  `Messages have ${DEFAULT_IMAGES_PER_MESSAGE} images, and all are on the queue at the start. EC2 has all the instances that are asked for, and takes none back.`,
  'All instances stay until the queue has been empty for ten minutes: while a long tail is left the fleet goes down to what is needed, which is left out.',
];
