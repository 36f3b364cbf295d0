import { count, dollars, duration } from '../format.ts';
import { type FleetScenario, simulateFleet } from './fleet.ts';
import { FLEET_ASSUMPTIONS, FLEET_SIMPLIFICATIONS } from './fleet-assumptions.ts';

const IMAGES = 100_000_000;

/** By number and type of instances. */
export const FLEETS: readonly FleetScenario[] = (
  [
    ['xlarge', 4, 10],
    ['xlarge', 4, 50],
    ['xlarge', 4, 100],
    ['xlarge', 4, 250],
    ['large', 2, 100],
    ['4xlarge', 16, 25],
    ['4xlarge', 16, 100],
  ] as const
).map(([size, vcpus, maxInstances]) => ({ images: IMAGES, size, vcpus, maxInstances }));

/** A Markdown table of what a job takes on fleets. */
export function fleetTable(): string {
  const rows = FLEETS.map((scenario) => {
    const { seconds, peakInstances, instanceHours, onDemandUsd, spotUsd } = simulateFleet(scenario);
    const cells = [
      `${scenario.maxInstances} c7a.${scenario.size}`,
      duration(seconds),
      count(peakInstances),
      count(instanceHours),
      dollars(onDemandUsd),
      dollars(spotUsd),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `**${count(IMAGES)} images on a fleet**`,
    '',
    '| maximum instances | time | peak instances | instance hours | cost on demand | cost on Spot |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** Every assumption, as a Markdown list. */
export function fleetAssumptionList(): string {
  const numbers = Object.values(FLEET_ASSUMPTIONS).map(
    ({ value, says, source }) =>
      `- **${value.toLocaleString('en', { maximumFractionDigits: 5 })}** ${says}. ${source}.`,
  );
  return [...numbers, ...FLEET_SIMPLIFICATIONS.map((text) => `- ${text}`)].join('\n');
}
