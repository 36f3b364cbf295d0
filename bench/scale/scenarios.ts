import { DEFAULT_MAXIMUM_CONCURRENCY } from '../../infra/service-config.ts';
import { readStageConfig } from '../../infra/stage-config.ts';
import { DEFAULT_IMAGES_PER_MESSAGE } from '../../shared/contract/limits.ts';
import { ASSUMED, MESSAGE_BYTES_PER_IMAGE } from '../../shared/cost.ts';
import { ASSUMPTIONS } from './assumptions.ts';
import type { ProvisionedPollers, Scenario } from './scenario.ts';

export type NamedScenario = {
  name: string;
  /** Whether it is a line of the plot; the tables have them all. */
  drawn: boolean;
  scenario: Omit<Scenario, 'images'>;
};

const stage = readStageConfig('dev');
const STAGE_CONCURRENCY = stage.maximumConcurrency ?? DEFAULT_MAXIMUM_CONCURRENCY;

/** The dev stage as it is deployed, with workers on the assumed processor. */
export const DEPLOYED: Omit<Scenario, 'images'> = {
  imagesPerMessage: DEFAULT_IMAGES_PER_MESSAGE,
  bytesPerMessage: DEFAULT_IMAGES_PER_MESSAGE * MESSAGE_BYTES_PER_IMAGE,
  batchSize: stage.batchSize,
  batchWindowSeconds: stage.batchWindowSeconds,
  pollers: { kind: 'on demand', maximumConcurrency: STAGE_CONCURRENCY },
  accountConcurrency: ASSUMPTIONS.accountConcurrency.value,
  secondsPerImage: ASSUMED.millisecondsPerImage / 1_000,
  coldStartSeconds: ASSUMPTIONS.coldStartSeconds.value,
};

/** How many images a job has, in the tables. */
export const JOBS = [1_000_000, 100_000_000] as const;

const producer = { enqueuedPerSecond: ASSUMPTIONS.enqueuedPerSecond.value };
const raised = { accountConcurrency: 20_000 };

/** Ways to run a job, slow ones first. */
export const SCENARIOS: readonly NamedScenario[] = [
  named(`on demand, at most ${STAGE_CONCURRENCY} (the default)`, {}),
  named('on demand, at most 100', { pollers: { kind: 'on demand', maximumConcurrency: 100 } }),
  named('on demand, at most 1,000', { pollers: { kind: 'on demand', maximumConcurrency: 1_000 } }),
  named(
    'on demand, at most 1,000, while enqueue sends',
    { pollers: { kind: 'on demand', maximumConcurrency: 1_000 }, ...producer },
    false,
  ),
  named('2 to 20 pollers', { pollers: provisioned(2, 20) }),
  named('20 to 200 pollers', { pollers: provisioned(20, 200) }, false),
  named('20 to 200 pollers, quota of 20,000', { pollers: provisioned(20, 200), ...raised }),
  named('200 to 2,000 pollers, quota of 20,000', { pollers: provisioned(200, 2_000), ...raised }),
  named(
    '200 to 2,000 pollers, quota of 20,000, while enqueue sends',
    { pollers: provisioned(200, 2_000), ...raised, ...producer },
    false,
  ),
];

function named(name: string, changes: Partial<Scenario>, drawn = true): NamedScenario {
  return { name, drawn, scenario: { ...DEPLOYED, ...changes } };
}

function provisioned(minimum: number, maximum: number): ProvisionedPollers {
  return { kind: 'provisioned', minimum, maximum };
}
