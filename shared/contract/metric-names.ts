/** The CloudWatch namespace and metric names that worker, dashboard and alarms share. */
export const METRIC_NAMESPACE = 'labelqueue';

/** Metrics of the worker. Their names are public: dashboards and alarms of users have them. */
export const METRICS = {
  imagesClassified: 'ImagesClassified',
  /** In all, and once more by `code`: see {@link CODE_DIMENSION}. */
  imagesFailed: 'ImagesFailed',
  imagesRetried: 'ImagesRetried',
  imagesNotReached: 'ImagesNotReached',
  imagesCancelled: 'ImagesCancelled',
  messagesUnreadable: 'MessagesUnreadable',
  messagesUnsettled: 'MessagesUnsettled',
  /** Messages that came for the last time that the redrive policy permits. */
  messagesOnLastDelivery: 'MessagesOnLastDelivery',
  fetchTime: 'FetchTime',
  decodeTime: 'DecodeTime',
  inferenceTime: 'InferenceTime',
  inferenceBatchSize: 'InferenceBatchSize',
} as const;

/** Failed images are counted by error code too, as a dimension. Each code that occurs is a metric of its own, with its price. */
export const CODE_DIMENSION = 'code';

/** What instances of a fleet write themselves, beside their worker's metrics. */
export const FLEET_METRICS = {
  /** An instance whose worker did not start, or did not stay, and that ended itself. */
  instancesGivenUp: 'FleetInstancesGivenUp',
} as const;
