import { ASSUMED, type Cost, costOfUsage, onLambda, usdOfTime } from '../../shared/cost.ts';
import { ASSUMPTIONS } from './assumptions.ts';
import type { Scenario } from './scenario.ts';
import type { Outcome } from './simulate.ts';

/** What a job costs at list prices, the provisioned pollers from its start to its end among it. */
export function costOfJob(scenario: Scenario, outcome: Outcome): Cost & { pollersUsd: number } {
  const { images, imagesPerMessage } = scenario;
  const { invocations, lambdaSeconds, pollerHours } = outcome;
  const computing = onLambda(usdOfTime({ ...ASSUMED, milliseconds: lambdaSeconds * 1_000 }));
  const cost = costOfUsage({ images, imagesPerMessage, invocations, computing });
  const pollersUsd = pollerHours * ASSUMPTIONS.pollerHourUsd.value;
  return { ...cost, pollersUsd, totalUsd: cost.totalUsd + pollersUsd };
}

const HOURS_OF_A_MONTH = 730;

/** What the pollers of a stage cost in a month without a job: its minimum is always there. */
export function idleUsdOfMonth({ pollers }: Pick<Scenario, 'pollers'>): number {
  return pollers.kind === 'on demand' ? 0 : pollers.minimum * HOURS_OF_A_MONTH * ASSUMPTIONS.pollerHourUsd.value;
}
