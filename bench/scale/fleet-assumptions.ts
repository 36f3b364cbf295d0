import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { assumedText } from '../../shared/cost.ts';
import { FLEET_PROCESSOR, SPOT_DISCOUNT } from '../../shared/fleet-cost.ts';
import { FLEET_PRICES } from '../../shared/instance-price.ts';
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
    says: 'seconds until CloudWatch has the first metrics of the queue and the alarm has evaluated them; up to 15 minutes if the queue was not used for six hours',
    source:
      'Assumed for a queue in use; AWS, [CloudWatch metrics for SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html)',
  },
  vcpuHourUsd: {
    value: FLEET_PRICES.vcpuHour,
    says: 'dollars per vCPU-hour of c7a on demand, us-east-1; a vCPU is a whole core there',
    source:
      'AWS, [EC2 on-demand pricing](https://aws.amazon.com/ec2/pricing/on-demand/), 2026-11, from a secondary source',
  },
  spotDiscount: {
    value: SPOT_DISCOUNT,
    says: 'is the Spot discount on that price. It varies by zone, type and hour, and is not guaranteed',
    source: 'Assumed',
  },
} as const satisfies Record<string, Assumption>;

/** What it leaves out or makes simple. */
export const FLEET_SIMPLIFICATIONS: readonly string[] = [
  `A vCPU does what the benchmark measured natively on one core (${assumedText(FLEET_PROCESSOR)}), and four do four times that. The price includes an address ($${FLEET_PRICES.addressHour} per hour) and a disk per instance; it does not include SQS, S3 and logs, see [cost](cost.md#on-a-fleet).`,
  `Messages have ${DEFAULT_IMAGES_PER_MESSAGE} images, and all are on the queue at the start. EC2 has all the instances that are requested, and interrupts none.`,
  'All instances stay until the queue has been empty for ten minutes. Scaling in during a long tail is not simulated.',
];
