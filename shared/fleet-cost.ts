import { EVENT_SOURCE_BATCH_SIZE } from './contract/limits.ts';
import { BENCHMARK, type Cost, costOfUsage, type ProcessorFigure } from './cost.ts';

/**
 * AWS list prices in US dollars, us-east-1, Linux; aws.amazon.com/{ec2/pricing/on-demand,vpc/pricing,ebs/pricing}, 2026-11.
 */
export const FLEET_PRICES = {
  /** A vCPU of c7a on demand, which is a whole core: a quarter of c7a.xlarge, $0.20528. */
  vcpuHour: 0.051_32,
  /** A public IPv4 address. */
  addressHour: 0.005,
  /** A GB of a gp3 volume. */
  volumeGbMonth: 0.08,
} as const;

/** The assumed discount of Spot from on demand; the actual price varies by pool and hour. */
export const SPOT_DISCOUNT = 0.6;

/** The instance that estimates of a fleet assume, and the default of a stage's fleet. */
export const FLEET_MACHINE = { instanceType: 'c7a.xlarge', vcpus: 4, volumeGb: 12 } as const;

/**
 * The default number of messages per instance: what their images save compared to Lambda pays for an instance's start and idle
 * minutes, on Spot, with the usual number of images per message (docs/fleet.md).
 */
export const FLEET_MESSAGES_PER_INSTANCE = 1_000;

/** The processor of c7a: an AMD EPYC with AVX-512 VNNI, like the one that the benchmark ran on natively. */
export const FLEET_PROCESSOR: ProcessorFigure = BENCHMARK.vnni;

const HOURS_PER_MONTH = 730;
const MILLISECONDS_PER_HOUR = 3_600_000;

/**
 * The price of an instance per hour, with its address and its disk.
 *
 * @param discount from the on-demand price, 0 to 1; not on address and disk
 */
export function instanceUsdPerHour(
  { vcpus, volumeGb }: { vcpus: number; volumeGb: number } = FLEET_MACHINE,
  discount = 0,
): number {
  const { vcpuHour, addressHour, volumeGbMonth } = FLEET_PRICES;
  return vcpus * vcpuHour * (1 - discount) + addressHour + (volumeGb * volumeGbMonth) / HOURS_PER_MONTH;
}

/** The vCPUs of an instance type by its size, such as 8 of `c7a.2xlarge`; undefined for sizes without a number, such as `metal`. */
export function vcpusOf(instanceType: string): number | undefined {
  const size = instanceType.slice(instanceType.indexOf('.') + 1);
  const [, times] = /^(?:metal-)?(\d*)x(?:large|l)$/.exec(size) ?? [];
  if (times !== undefined) return 4 * (times === '' ? 1 : Number(times));
  return new Map([
    ['medium', 1],
    ['large', 2],
  ]).get(size);
}

/**
 * The estimated cost of images on a busy fleet, without starts and ends of instances and without waits for slow servers. There are
 * no invocations; messages are still received ten at a time.
 */
export function costOfFleetImages(images: number, perMessage: number, discount: number): Cost {
  const perVcpuHour = instanceUsdPerHour(FLEET_MACHINE, discount) / FLEET_MACHINE.vcpus;
  const computingUsd = ((images * FLEET_PROCESSOR.millisecondsPerImage) / MILLISECONDS_PER_HOUR) * perVcpuHour;
  const invocations = Math.ceil(Math.ceil(images / perMessage) / EVENT_SOURCE_BATCH_SIZE);
  const cost = costOfUsage({ images, imagesPerMessage: perMessage, invocations, computingUsd });
  return { ...cost, lambdaRequestsUsd: 0, totalUsd: cost.totalUsd - cost.lambdaRequestsUsd };
}
