import { stepsOut } from '../../infra/fleet/steps-out.ts';
import { FLEET_MACHINE, FLEET_PROCESSOR, instanceUsdPerHour, SPOT_DISCOUNT } from '../../shared/contract/fleet-cost.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
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
/** What a stage has unless told otherwise. */
const MESSAGES_PER_INSTANCE = 100;
const IDLE_MINUTES = 10;

/**
 * Plays a job second by second: the group looks at the queue each minute and adds what its policy says, instances work from
 * the end of their start on, and all are paid for until the queue has been empty for ten minutes.
 */
export function simulateFleet({ images, vcpus, maxInstances }: FleetScenario): FleetOutcome {
  const { bootSeconds, metricDelaySeconds } = FLEET_ASSUMPTIONS;
  const steps = stepsOut(maxInstances);
  const perSecond = (vcpus * 1_000) / FLEET_PROCESSOR.millisecondsPerImage;
  const readyAt: number[] = [];
  let left = images;
  let paidSeconds = 0;
  let seconds = 0;
  for (; left > 0; seconds += STEP_SECONDS) {
    const isLook = seconds >= metricDelaySeconds.value && (seconds - metricDelaySeconds.value) % MINUTE === 0;
    const more = isLook ? added(left / DEFAULT_IMAGES_PER_MESSAGE / MESSAGES_PER_INSTANCE - readyAt.length, steps) : 0;
    for (let count = Math.min(more, maxInstances - readyAt.length); count > 0; count--) {
      readyAt.push(seconds + bootSeconds.value);
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

/** Steps are inclusive below and exclusive above; what is not more than 0 is no breach. */
function added(lacking: number, steps: ReturnType<typeof stepsOut>): number {
  if (lacking <= 0) return 0;
  return (
    steps.findLast(({ metricIntervalLowerBound }) => lacking >= Number(metricIntervalLowerBound))?.scalingAdjustment ??
    0
  );
}
