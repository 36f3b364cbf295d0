import { DEFAULT_IMAGES_PER_MESSAGE, MAX_PAYLOAD_BYTES } from '../../shared/contract/limits.ts';
import { assumedText } from '../../shared/cost.ts';

/** A number that the simulation is given: what it says, and where it is from. */
export type Assumption = { value: number; says: string; source: string };

const DEVELOPER_GUIDE = 'https://docs.aws.amazon.com/lambda/latest/dg';
const SQS_SCALING = `AWS, [Configuring scaling behavior for SQS event source mappings](${DEVELOPER_GUIDE}/services-sqs-scaling.html)`;
const EVENT_SOURCES = `AWS, [How Lambda processes records from stream and queue-based event sources](${DEVELOPER_GUIDE}/invocation-eventsourcemapping.html)`;
const SCALING = `AWS, [Lambda scaling behavior](${DEVELOPER_GUIDE}/scaling-behavior.html)`;
const QUOTAS = `AWS, [Lambda quotas](${DEVELOPER_GUIDE}/gettingstarted-limits.html)`;
const SQS_QUOTAS =
  'AWS, [Amazon SQS standard queue quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html)';
const FAIR_QUEUES =
  'AWS, [How Amazon SQS fair queues work](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html)';
const S3_RATES =
  'AWS, knowledge centre, [5xx errors of S3](https://repost.aws/knowledge-center/http-5xx-errors-s3) and [key names](https://repost.aws/knowledge-center/s3-object-key-naming-pattern)';

/** What AWS documents or charges, and what was measured. Each value is used by the simulation. */
export const ASSUMPTIONS = {
  startConcurrency: {
    value: 5,
    says: 'concurrent batches when messages first appear, on demand',
    source: SQS_SCALING,
  },
  concurrencyPerMinute: {
    value: 300,
    says: 'concurrent invocations are added per minute while messages wait, on demand',
    source: SQS_SCALING,
  },
  eventSourceConcurrency: {
    value: 1_250,
    says: 'concurrent invocations at most per event source, on demand',
    source: SQS_SCALING,
  },
  provisionedConcurrencyPerMinute: {
    value: 1_000,
    says: 'concurrent invocations are added per minute while messages wait, with provisioned pollers',
    source: SQS_SCALING,
  },
  concurrencyPerPoller: {
    value: 10,
    says: 'concurrent invocations at most per provisioned poller',
    source: EVENT_SOURCES,
  },
  bytesPerSecondPerPoller: {
    value: 1_000_000,
    says: 'bytes of messages per second at most per provisioned poller',
    source: EVENT_SOURCES,
  },
  pollsPerSecondPerPoller: {
    value: 10,
    says: 'SQS requests per second at most per provisioned poller; each returns up to 10 messages',
    source: EVENT_SOURCES,
  },
  environmentsPerTenSeconds: {
    value: 1_000,
    says: 'execution environments at most are created per 10 s; the allowance refills continuously',
    source: SCALING,
  },
  accountConcurrency: {
    value: 1_000,
    says: 'concurrent invocations are the default quota of an account, and nothing else uses it. A new account has less and can request more',
    source: QUOTAS,
  },
  payloadBytes: {
    value: MAX_PAYLOAD_BYTES,
    says: 'bytes at most per invocation payload',
    source: QUOTAS,
  },
  messagesInFlight: {
    value: 120_000,
    says: 'messages of a standard queue at most are in flight ("approximately")',
    source: SQS_QUOTAS,
  },
  noisyMessagesInFlight: {
    value: 30,
    says: 'messages in flight at least make a group a noisy neighbor, if it also has the next share',
    source: FAIR_QUEUES,
  },
  noisyShareInFlight: {
    value: 0.1,
    says: 'of the messages in flight: a group with a larger share is a noisy neighbor, and messages of quiet groups go first',
    source: FAIR_QUEUES,
  },
  putsPerSecond: {
    value: 3_500,
    says: 'PUTs per second per prefix ("at least": S3 splits a busy prefix, which takes half an hour or more, and then accepts as many for each half)',
    source: S3_RATES,
  },
  pollerHourUsd: {
    value: 0.009_25,
    says: 'dollars per hour of a provisioned poller for SQS (one event poller unit), us-east-1, billed while it exists',
    source:
      'AWS, [Lambda pricing](https://aws.amazon.com/lambda/pricing/), and the Price List API of 2026-09-19, both from secondary sources',
  },
  coldStartSeconds: {
    value: 1.827,
    says: "seconds from the start of a process to its first result, which are billed; Lambda's own preparation before that is not included",
    source:
      'Measured, [cold start](decisions/cold-start.md), `npm run bench:cold`; AWS, [Lambda standardizes billing for INIT phase](https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase)',
  },
  enqueuedPerSecond: {
    value: 67_000,
    says: 'images per second are sent by `labelqueue enqueue`, in the rows that say so',
    source:
      'Measured 2026-11-24: a text file of a million URLs into SQS on this machine, twice, 15.1 and 14.4 s for the whole command; with AWS, the network may be slower',
  },
  bytesPerImage: {
    value: 48_300,
    says: 'bytes per image: the photos that the benchmark serves, 640x427, JPEG',
    source: '[pictures.ts](../bench/speed/pictures.ts)',
  },
} as const satisfies Record<string, Assumption>;

/** What the simulation leaves out or makes simple. */
export const SIMPLIFICATIONS: readonly string[] = [
  `A worker has one vCPU (assumed: ${assumedText()}). Every image takes the same time. Image servers are fast enough: with a latency of 300 ms, the measured speed was about that with fast servers.`,
  `Messages have ${DEFAULT_IMAGES_PER_MESSAGE} images (\`--per-message ${DEFAULT_IMAGES_PER_MESSAGE}\`; the default of \`enqueue\` for so many images is larger and costs less: docs/decisions/images-per-message.md). Nothing fails, so nothing is retried or redelivered.`,
  'Scaling up is spread evenly over the minute and happens only while messages wait; nothing scales down before the end. AWS says "up to": it may be slower.',
  'A warm environment stays warm to the end of the job, and a batch goes to a warm one first.',
  'A stage has at most 2,000 pollers, as in the developer guide; the API reference already allows 10,000.',
  'SQS always returns as many messages as requested. Receiving, deleting and invoking take no time apart from the limits of the pollers.',
  'While a batching window is open, one batch is collected at a time.',
  'Messages that pollers have received but not yet passed to an invocation are not counted as in flight.',
  'Provisioned pollers are paid for from the start of the job to its end; the cost of the minimum between jobs is not part of a job.',
];
