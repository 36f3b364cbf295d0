import { z } from 'zod';
import { QUEUE_TAKERS } from '../../shared/contract/stage-workers.ts';
import type { Architecture } from '../../shared/contract/worker-time.ts';
import { FLEET_MESSAGES_PER_INSTANCE } from '../../shared/fleet-cost.ts';
import { vpc } from '../account-config.ts';

/**
 * Types of one size, so that an instance is as good as another. A vCPU of AMD's and of Graviton's is a core; one of Intel's
 * is a thread of a core, and still a Spot pool more. Of the generation that most regions have. https://docs.aws.amazon.com/ec2/latest/instancetypes/
 */
const INSTANCE_TYPES: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: ['c7a.xlarge', 'm7a.xlarge', 'c7i.xlarge', 'm7i.xlarge'],
  arm64: ['c7g.xlarge', 'm7g.xlarge', 'c7gd.xlarge', 'r7g.xlarge'],
};

/** Families of Graviton have a `g` behind their generation. */
const GRAVITON = /^[a-z]+\d+g/;

/** A worker has a process per vCPU, which needs 1.5 GB (docs/work.md). */
const TOO_SMALL = /\.(nano|micro|small)$/;

const instanceType = z
  .string()
  .regex(/^[a-z]+\d+[a-z-]*\.[a-z0-9-]+$/, 'expected an instance type, such as c7a.xlarge')
  .refine((type) => !TOO_SMALL.test(type), 'expected a type with at least 2 GB of memory per vCPU, such as c7a.medium');

/** Web servers' own ports. Names are looked up at the VPC's resolver, which security groups do not filter. */
const WEB_PORTS = [80, 443];

/** Workers on EC2, beside Lambda or in its place. */
export const fleet = z.strictObject({
  queue: z.enum(QUEUE_TAKERS).default('fleet'),
  /** Of one size, several of them: Spot takes what there is. */
  instanceTypes: z.array(instanceType).min(1).max(40).optional(),
  maxInstances: z.int().min(1).max(1_000).default(10),
  /** So many messages are worth one instance. */
  messagesPerInstance: z.int().min(1).max(100_000).default(FLEET_MESSAGES_PER_INSTANCE),
  /** So many instances are on demand before any is Spot. */
  onDemandBaseCapacity: z.int().min(0).max(1_000).default(0),
  /** Of the others, how many are on demand: 100 is no Spot at all. */
  onDemandPercentage: z.int().min(0).max(100).default(0),
  /** The queue is empty for so long before all instances end. */
  idleMinutes: z.int().min(2).max(120).default(10),
  /** The root volume, in GiB: the image's 8, and room for TensorFlow and another model. */
  volumeGb: z.int().min(8).max(1_000).default(12),
  /** In place of a VPC of its own, and of the stage's. */
  vpc: vpc.optional(),
  /** TCP ports of image servers; labelqueue's own traffic needs 443. */
  outboundPorts: z
    .array(z.int().min(1).max(65_535))
    .max(20)
    .refine((ports) => ports.includes(443), 'expected 443 among them: SQS and S3 are reached there')
    .default(WEB_PORTS),
  /** Sessions of Systems Manager on the instances. */
  ssmAccess: z.boolean().default(false),
});

/** The options of the fleet. */
export type FleetConfig = z.infer<typeof fleet>;

/** What a stage with this architecture runs on, unless its file names types. */
export function instanceTypesOf(
  { instanceTypes }: Pick<FleetConfig, 'instanceTypes'>,
  architecture: Architecture,
): readonly string[] {
  return instanceTypes ?? INSTANCE_TYPES[architecture];
}

/** @returns the first type that the package of this architecture does not run on */
export function unfitInstanceType(types: readonly string[], architecture: Architecture): string | undefined {
  return types.find((type) => GRAVITON.test(type) !== (architecture === 'arm64'));
}

/** @returns whether all types are of one size: the group counts instances, whatever they can do */
export function areOfOneSize(types: readonly string[]): boolean {
  return new Set(types.map((type) => type.slice(type.indexOf('.')))).size === 1;
}
