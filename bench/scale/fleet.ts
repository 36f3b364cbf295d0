import { capacitySteps } from '../../infra/fleet/capacity-steps.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { FLEET_MESSAGES_PER_INSTANCE, FLEET_PROCESSOR, SPOT_DISCOUNT } from '../../shared/fleet-cost.ts';
import { FLEET_MACHINE, instanceUsdPerHour } from '../../shared/instance-price.ts';
import { FLEET_ASSUMPTIONS } from './fleet-assumptions.ts';

/** A job, and the fleet that it runs on. */
export type FleetScenario = {
  images: number;
  /** Of c7a. */
  size: string;
  vcpus: number;
  maxInstances: number;
};

export type FleetOutcome = {
  /** From the first message in the queue to the last outcome. */
  seconds: number;
  peakInstances: number;
  /** All instances together, from their start to the end of the fleet. */
  instanceHours: number;
  onDemandUsd: number;
  spotUsd: number;
};

const STEP_SECONDS = 1;
const MINUTE = 60;
const HOUR = 3_600;
/** A stage's default. */
const IDLE_MINUTES = 10;

/**
 * Plays a job second by second: the group looks at the queue each minute and has as many as its policy says, instances work from
 * the end of their start on, and all are paid for until the queue has been empty for ten minutes.
 */
export function simulateFleet({ images, vcpus, maxInstances }: FleetScenario): FleetOutcome {
  const { bootSeconds, metricDelaySeconds } = FLEET_ASSUMPTIONS;
  const capacityFor = capacityByNeed(maxInstances);
  const perSecond = (vcpus * 1_000) / FLEET_PROCESSOR.millisecondsPerImage;
  const readyAt: number[] = [];
  let left = images;
  let paidSeconds = 0;
  let seconds = 0;
  for (; left > 0; seconds += STEP_SECONDS) {
    const isLook = seconds >= metricDelaySeconds.value && (seconds - metricDelaySeconds.value) % MINUTE === 0;
    const needed = Math.ceil(left / DEFAULT_IMAGES_PER_MESSAGE / FLEET_MESSAGES_PER_INSTANCE);
    if (isLook && needed > readyAt.length) {
      const more = capacityFor(needed) - readyAt.length;
      readyAt.push(...Array.from({ length: more }, () => seconds + bootSeconds.value));
    }
    left -= readyAt.filter((at) => at <= seconds).length * perSecond * STEP_SECONDS;
    paidSeconds += readyAt.length * STEP_SECONDS;
  }
  paidSeconds += readyAt.length * IDLE_MINUTES * MINUTE;
  const instanceHours = paidSeconds / HOUR;
  const usd = (discount: number) =>
    instanceHours * instanceUsdPerHour({ vcpus, volumeGb: FLEET_MACHINE.volumeGb }, discount);
  return {
    ...{ seconds, instanceHours, peakInstances: readyAt.length },
    ...{ onDemandUsd: usd(0), spotUsd: usd(SPOT_DISCOUNT) },
  };
}

/** Steps are inclusive below and exclusive above. */
function capacityByNeed(maxInstances: number): (needed: number) => number {
  const steps = capacitySteps(maxInstances);
  return (needed) =>
    steps.findLast(({ metricIntervalLowerBound }) => needed >= Number(metricIntervalLowerBound))?.scalingAdjustment ??
    0;
}
