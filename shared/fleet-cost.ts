import { EVENT_SOURCE_BATCH_SIZE } from './contract/limits.ts';
import { type Cost, costOfUsage, type ProcessorFigure, pricedFamily } from './cost.ts';
import { ASSUMED_FAMILY, vcpuUsdPerMillisecond } from './instance-price.ts';
import { processorOf } from './instance-processor.ts';

/** The assumed discount of Spot from on demand; the actual price varies by pool and hour. */
export const SPOT_DISCOUNT = 0.6;

/**
 * The default number of messages per instance: what their images save compared to Lambda pays for an instance's start and idle
 * minutes, on Spot, with the usual number of images per message (docs/fleet.md).
 */
export const FLEET_MESSAGES_PER_INSTANCE = 1_000;

/** The processor of c7a: an AMD EPYC with AVX-512 VNNI, like the one that the benchmark ran on natively. */
export const FLEET_PROCESSOR: ProcessorFigure = processorOf(ASSUMED_FAMILY.x86_64);

/**
 * The estimated cost of images on a busy fleet, without starts and ends of instances and without waits for slow servers. There are
 * no invocations; messages are still received ten at a time.
 *
 * @param discount from the on-demand price, 0 to 1
 */
export function costOfFleetImages(
  images: number,
  perMessage: number,
  discount: number,
  { architecture, instanceFamily, millisecondsPerImage } = FLEET_PROCESSOR,
): Cost {
  const family = pricedFamily(architecture, instanceFamily);
  const fleetUsd = images * millisecondsPerImage * vcpuUsdPerMillisecond(family, discount);
  const invocations = Math.ceil(Math.ceil(images / perMessage) / EVENT_SOURCE_BATCH_SIZE);
  const computing = { lambdaUsd: 0, fleetUsd, share: { lambda: 0, ec2: 1, own: 0 } };
  return costOfUsage({ images, imagesPerMessage: perMessage, invocations, computing });
}
