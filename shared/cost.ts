import { type InstanceFamily, instanceFamilyOf } from './contract/instance-families.ts';
import {
  EVENT_SOURCE_BATCH_SIZE,
  FUNCTION_MEMORY_MB,
  MAX_BATCH_ENTRIES,
  MIN_IMAGES_FOR_OWN_PART,
} from './contract/limits.ts';
import type { Architecture, WorkerHost, WorkerMachine, WorkerTime } from './contract/worker-time.ts';
import { ASSUMED_FAMILY, vcpuUsdPerMillisecond } from './instance-price.ts';

/** AWS list prices in US dollars, us-east-1, without free tiers; aws.amazon.com/{lambda,sqs,s3,cloudwatch}/pricing, 2026-11. */
export const PRICES = {
  /** On x86_64. */
  lambdaGbSecond: 0.000_016_666_7,
  /** On arm64. */
  lambdaGbSecondArm: 0.000_013_333_4,
  lambdaRequest: 0.2e-6,
  /** A request to SQS, per 64 KiB of payload. */
  sqsRequest: 0.4e-6,
  /** In addition, for messages with a `MessageGroupId` (fair queues); at second hand, see docs/fair-queues.md. */
  sqsFairRequest: 0.1e-6,
  s3Put: 5e-6,
  cloudWatchLogsGb: 0.5,
} as const;

/** A processor, and the time of the whole worker per image of 640x427 on one vCPU of it. */
export type ProcessorFigure = WorkerMachine & { processor: string; millisecondsPerImage: number };

const ONE_VCPU = { host: 'lambda', architecture: 'x86_64', memoryMb: FUNCTION_MEMORY_MB } as const;

/**
 * The results of the benchmark by processor: medians of the files in `bench/results/`, verified by a test. Estimates before a job
 * use only these; the cost of a job uses the time that its workers measured.
 */
export const BENCHMARK = {
  /** `bench/results/2026-11-27.json`, under AVX2, as all of them. */
  avx2: { ...ONE_VCPU, processor: 'AVX2, x86_64', millisecondsPerImage: 11.1 },
  /** With MODEL_PRECISION=float32. */
  avx2Floats: { ...ONE_VCPU, processor: 'AVX2, x86_64, 32-bit floats', millisecondsPerImage: 15.9 },
  /** Natively on an AMD EPYC. */
  vnni: { ...ONE_VCPU, processor: 'AVX-512 VNNI, x86_64', millisecondsPerImage: 8 },
  /** The same with MODEL_PRECISION=float32. */
  vnniFloats: { ...ONE_VCPU, processor: 'AVX-512 VNNI, x86_64, 32-bit floats', millisecondsPerImage: 15.4 },
} as const satisfies Record<string, ProcessorFigure>;

/** The processor that estimates assume: AVX2 is what AWS documents for Lambda on x86_64. */
export const ASSUMED: ProcessorFigure = BENCHMARK.avx2;

/** arm64 computes in 32-bit floats. No arm64 machine was measured: the time of AVX2 is assumed. */
export const ASSUMED_ARM: ProcessorFigure = {
  ...BENCHMARK.avx2Floats,
  ...{ architecture: 'arm64', processor: 'arm64, 32-bit floats, as fast as AVX2' },
};

/** E.g. `AVX2, x86_64, 1,769 MB, 26 ms per image`: to follow the word "assumed". */
export function assumedText({ host, processor, memoryMb, millisecondsPerImage }: ProcessorFigure = ASSUMED): string {
  const memory = host === 'lambda' ? `, ${memoryMb.toLocaleString('en')} MB` : '';
  return `${processor}${memory}, ${millisecondsPerImage} ms per image`;
}

/** Bytes per image in a message. */
export const MESSAGE_BYTES_PER_IMAGE = 120;

/**
 * The bytes that invocations log: one line, one set of metrics and the lines of Lambda per invocation, and the times of images. `test/functions/classify/invocation-log.test.ts` counts them.
 */
export function logBytesOf(invocations: number, images: number): number {
  return 2_000 * invocations + 2.5 * images;
}

/** The cost of a job at list prices, by service. */
export type Cost = {
  /** The computing time on Lambda. */
  lambdaUsd: number;
  /** The computing time on EC2 instances, on demand, without their starts and idle minutes. */
  fleetUsd: number;
  lambdaRequestsUsd: number;
  sqsUsd: number;
  s3Usd: number;
  logsUsd: number;
  totalUsd: number;
};

/** The AWS usage of a job. */
export type Usage = {
  images: number;
  imagesPerMessage: number;
  invocations: number;
  computing: Computing;
};

/** The cost of the computing time of images, see {@link usdOfTime}, and which share of the images was processed where. */
export type Computing = { lambdaUsd: number; fleetUsd: number; share: Readonly<Record<WorkerHost, number>> };

/** The computing time of images that were all processed on Lambda. */
export function onLambda(lambdaUsd: number): Computing {
  return { lambdaUsd, fleetUsd: 0, share: { lambda: 1, ec2: 0, own: 0 } };
}

/**
 * The cost of a worker's time at list prices, without requests: on EC2 at the on-demand price of a vCPU, since a worker has one
 * process per vCPU. One's own machine costs nothing here.
 */
export function usdOfTime({ milliseconds, host, architecture, memoryMb, instanceFamily }: WorkerTime): number {
  if (host === 'own') return 0;
  if (host === 'ec2') return milliseconds * vcpuUsdPerMillisecond(pricedFamily(architecture, instanceFamily));
  return (milliseconds / 1_000) * (memoryMb / 1_024) * gbSecondUsd(architecture);
}

/** The family with the price of a family: itself, or the one that is assumed for families without a known price. */
export function pricedFamily(architecture: Architecture, family = ''): InstanceFamily {
  return instanceFamilyOf(family) ?? ASSUMED_FAMILY[architecture];
}

/** The price of a GB-second of Lambda. */
export function gbSecondUsd(architecture: Architecture): number {
  return architecture === 'arm64' ? PRICES.lambdaGbSecondArm : PRICES.lambdaGbSecond;
}

/** The estimated cost of the computing time of images on a processor, in US dollars. */
export function assumedUsd(images: number, processor: ProcessorFigure = ASSUMED): number {
  return usdOfTime({ ...processor, milliseconds: images * processor.millisecondsPerImage });
}

/**
 * The estimated cost of images at list prices: with the time that the benchmark measured, full batches and no retries. With slow
 * servers, fetches and so workers take longer.
 */
export function costOfImages(images: number, perMessage: number, processor: ProcessorFigure = ASSUMED): Cost {
  return costSoFar(images, perMessage, onLambda(assumedUsd(images, processor)));
}

/** The cost of images with a known computing cost: requests and logs as for full batches without retries. */
export function costSoFar(images: number, imagesPerMessage: number, computing: Computing): Cost {
  const invocations = Math.ceil(Math.ceil(images / imagesPerMessage) / EVENT_SOURCE_BATCH_SIZE);
  return costOfUsage({ images, imagesPerMessage, invocations, computing });
}

/** The cost of a usage at list prices, without retries. Only Lambda has requests, and one's own machine logs to itself. */
export function costOfUsage({ images, imagesPerMessage, invocations, computing }: Usage): Cost {
  const { lambdaUsd, fleetUsd, share } = computing;
  const messages = Math.ceil(images / imagesPerMessage);
  const sends = Math.ceil(messages / MAX_BATCH_ENTRIES);
  // A batch larger than a request is received in several requests, a smaller one in its own.
  const receives = Math.max(sends, invocations);
  const messageBytes = imagesPerMessage * MESSAGE_BYTES_PER_IMAGE;
  const sqsRequests =
    sends * requestUnits(MAX_BATCH_ENTRIES * messageBytes) +
    receives * requestUnits(Math.ceil(messages / Math.max(1, receives)) * messageBytes) +
    // The deletes, which are small.
    receives;
  const parts = imagesPerMessage >= MIN_IMAGES_FOR_OWN_PART ? messages : invocations;
  const cost = {
    lambdaUsd,
    fleetUsd,
    lambdaRequestsUsd: invocations * PRICES.lambdaRequest * share.lambda,
    sqsUsd: sqsRequests * (PRICES.sqsRequest + PRICES.sqsFairRequest),
    s3Usd: parts * PRICES.s3Put,
    logsUsd: (logBytesOf(invocations, images) / 1e9) * PRICES.cloudWatchLogsGb * (1 - share.own),
  };
  return { ...cost, totalUsd: Object.values(cost).reduce((sum, part) => sum + part, 0) };
}

/** SQS bills a request per 64 KiB of payload. */
function requestUnits(bytes: number): number {
  return Math.ceil(bytes / 65_536);
}
