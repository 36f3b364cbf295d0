import { EVENT_SOURCE_BATCH_SIZE, FUNCTION_MEMORY_MB, MAX_BATCH_ENTRIES, OWN_PART_IMAGES } from './limits.ts';

/** AWS list prices in US dollars, us-east-1, x86, without free tiers; aws.amazon.com/{lambda,sqs,s3,cloudwatch}/pricing, 2026-11. */
export const PRICES = {
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

/** What an image takes of a worker with one vCPU: the medians of `bench/results/2026-11-24.json`. */
export const MEASURED = {
  /** On a processor with VNNI, where the default model computes in eight-bit integers. */
  millisecondsPerImage: 9.7,
  /** On others, and with MODEL_PRECISION=float32. */
  millisecondsPerImageInFloats: 16.1,
  logBytesPerImage: 60,
  bytesPerImageInMessage: 120,
} as const;

export type Cost = {
  lambdaUsd: number;
  lambdaRequestsUsd: number;
  sqsUsd: number;
  s3Usd: number;
  logsUsd: number;
  totalUsd: number;
};

/** What a job took of AWS. */
export type Usage = {
  images: number;
  imagesPerMessage: number;
  invocations: number;
  /** Of all invocations together, their starts included. */
  lambdaSeconds: number;
};

/**
 * What so many images cost at list prices, with the worker's time as measured, full batches, and no
 * retries. Fetching may take longer from slow servers; then the same worker takes more time.
 */
export function costOfImages(
  images: number,
  perMessage: number,
  millisecondsPerImage: number = MEASURED.millisecondsPerImage,
): Cost {
  return costOfUsage({
    images,
    imagesPerMessage: perMessage,
    invocations: Math.ceil(Math.ceil(images / perMessage) / EVENT_SOURCE_BATCH_SIZE),
    lambdaSeconds: (images * millisecondsPerImage) / 1_000,
  });
}

/** What was used, at list prices, without retries. */
export function costOfUsage({ images, imagesPerMessage, invocations, lambdaSeconds }: Usage): Cost {
  const messages = Math.ceil(images / imagesPerMessage);
  const sends = Math.ceil(messages / MAX_BATCH_ENTRIES);
  // A batch of more messages than a request takes is received in several, and a smaller one alone.
  const receives = Math.max(sends, invocations);
  const messageBytes = imagesPerMessage * MEASURED.bytesPerImageInMessage;
  const sqsRequests =
    sends * requestUnits(MAX_BATCH_ENTRIES * messageBytes) +
    receives * requestUnits(Math.ceil(messages / Math.max(1, receives)) * messageBytes) +
    // The deletes, which are small.
    receives;
  const parts = imagesPerMessage >= OWN_PART_IMAGES ? messages : invocations;
  const cost = {
    lambdaUsd: lambdaSeconds * (FUNCTION_MEMORY_MB / 1_024) * PRICES.lambdaGbSecond,
    lambdaRequestsUsd: invocations * PRICES.lambdaRequest,
    sqsUsd: sqsRequests * (PRICES.sqsRequest + PRICES.sqsFairRequest),
    s3Usd: parts * PRICES.s3Put,
    logsUsd: ((images * MEASURED.logBytesPerImage) / 1e9) * PRICES.cloudWatchLogsGb,
  };
  return { ...cost, totalUsd: Object.values(cost).reduce((sum, part) => sum + part, 0) };
}

/** SQS bills a request per 64 KiB of payload. */
function requestUnits(bytes: number): number {
  return Math.ceil(bytes / 65_536);
}
