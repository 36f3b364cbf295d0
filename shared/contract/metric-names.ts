/** The CloudWatch namespace and metric names that worker, dashboard and alarms share. */
export const METRIC_NAMESPACE = 'labelqueue';

export const METRICS = {
  imagesClassified: 'ImagesClassified',
  imagesFailed: 'ImagesFailed',
  imagesRetried: 'ImagesRetried',
  imagesNotReached: 'ImagesNotReached',
  imagesCancelled: 'ImagesCancelled',
  messagesUnreadable: 'MessagesUnreadable',
  messagesUnsettled: 'MessagesUnsettled',
  fetchTime: 'FetchTime',
  decodeTime: 'DecodeTime',
  inferenceTime: 'InferenceTime',
  inferenceBatchSize: 'InferenceBatchSize',
} as const;
