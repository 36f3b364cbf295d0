/** The CloudWatch namespace and metric names that worker, dashboard and alarms share. */
export const METRIC_NAMESPACE = 'labelqueue';

/** Metrics of the worker. Their names are public: dashboards and alarms of users have them. */
export const METRICS = {
  imagesClassified: 'ImagesClassified',
  /** In total, and by `code`: see {@link CODE_DIMENSION}. */
  imagesFailed: 'ImagesFailed',
  imagesRetried: 'ImagesRetried',
  imagesNotReached: 'ImagesNotReached',
  imagesCancelled: 'ImagesCancelled',
  messagesUnreadable: 'MessagesUnreadable',
  messagesUnsettled: 'MessagesUnsettled',
  /** Messages on the last delivery that the redrive policy permits. */
  messagesOnLastDelivery: 'MessagesOnLastDelivery',
  fetchTime: 'FetchTime',
  decodeTime: 'DecodeTime',
  inferenceTime: 'InferenceTime',
  inferenceBatchSize: 'InferenceBatchSize',
} as const;

/** The stages of an image as pages show them, and the metric with the time of each. */
export const STAGE_METRICS = [
  ['fetch', METRICS.fetchTime],
  ['decode', METRICS.decodeTime],
  ['infer', METRICS.inferenceTime],
] as const;

/** Failed images are also counted by error code, as a dimension. Each code that occurs is billed as a separate metric. */
export const CODE_DIMENSION = 'code';

/** Metrics that instances of a fleet write, besides those of their worker. */
export const FLEET_METRICS = {
  /** Instances that terminated themselves, since their worker did not start or did not keep running. */
  instancesGivenUp: 'FleetInstancesGivenUp',
} as const;
