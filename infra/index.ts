/** labelqueue in a CDK app: `new LabelQueue(this, 'Images', { code: LambdaCode.fromPath('classify.zip') })`. */
export { LabelQueue, type LabelQueueModel, type LabelQueueProps } from './label-queue.ts';
export { LabelQueuePropsError } from './label-queue-config.ts';
export { type LabelQueueRelease, LambdaCode, LambdaCodeError } from './lambda-code.ts';
export type { Alarms } from './monitoring/alarms.ts';
export type { WorkerMetrics } from './worker/metrics.ts';
