import type { StageWorkers } from '../../shared/contract/stage-workers.ts';
import {
  ASSUMED,
  ASSUMED_ARM,
  assumedText,
  BENCHMARK,
  type Cost,
  costOfImages,
  type ProcessorFigure,
  pricedFamily,
} from '../../shared/cost.ts';
import { costOfFleetImages } from '../../shared/fleet-cost.ts';
import { vcpusOf } from '../../shared/instance-price.ts';
import { processorOf } from '../../shared/instance-processor.ts';

/** Lambda's default concurrency of an account. */
const DEFAULT_CONCURRENCY = 1_000;

/** What a job costs on the workers of a stage, and what that assumes. */
export type StageEstimate = {
  cost: Cost;
  /** The processor, and the price if it is not Lambda's. */
  assumed: ProcessorFigure;
  /** The line of the computing cost. */
  computing: { name: 'Lambda' | 'EC2'; usd: number; note: string };
  /** How many workers there are at most. */
  maxWorkers: number;
};

/** The estimate for images, on a fleet if only the fleet takes the queue, at the on-demand price. */
export function stageEstimate(images: number, perMessage: number, workers: StageWorkers): StageEstimate {
  return workers.queue === 'fleet' ? onFleet(images, perMessage, workers) : onLambda(images, perMessage, workers);
}

function onLambda(images: number, perMessage: number, workers: StageWorkers): StageEstimate {
  const assumed = lambdaFigure(workers);
  const cost = costOfImages(images, perMessage, assumed);
  const fleetNote = workers.queue === 'both' ? '; what the fleet does has its own price' : '';
  return {
    ...{ cost, assumed, maxWorkers: workers.maximumConcurrency ?? DEFAULT_CONCURRENCY },
    computing: {
      name: 'Lambda',
      usd: cost.lambdaUsd + cost.lambdaRequestsUsd,
      note: `assumed: ${assumedText(assumed)}${fleetNote}`,
    },
  };
}

function onFleet(images: number, perMessage: number, workers: StageWorkers): StageEstimate {
  const [type = ''] = workers.instanceTypes;
  const family = pricedFamily(workers.architecture, type.split('.', 1)[0]);
  const assumed = processorOf(family, workers.modelPrecision);
  const cost = costOfFleetImages(images, perMessage, 0, assumed);
  return {
    ...{ cost, assumed, maxWorkers: workers.maxInstances * (vcpusOf(type) ?? 1) },
    computing: {
      name: 'EC2',
      usd: cost.fleetUsd,
      note: `assumed: ${family} on demand, ${assumedText(assumed)}; plus the start and idle minutes of each instance; Spot costs less`,
    },
  };
}

function lambdaFigure({ architecture, modelPrecision }: StageWorkers): ProcessorFigure {
  if (architecture === 'arm64') return ASSUMED_ARM;
  return modelPrecision === 'float32' ? BENCHMARK.avx2Floats : ASSUMED;
}
