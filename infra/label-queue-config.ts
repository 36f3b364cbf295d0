import { Token } from 'aws-cdk-lib';
import { Tracing } from 'aws-cdk-lib/aws-lambda';
import { z } from 'zod';
import { UserError } from '../shared/contract/user-error.ts';
import type { LabelQueueProps } from './label-queue.ts';
import {
  checkRules,
  problemsText,
  SERVICE_OPTIONS,
  type ServiceConfig,
  type ServiceOptions,
} from './service-config.ts';

/** Settings of a `LabelQueue` that are out of range or do not fit together. The message names each. */
export class LabelQueuePropsError extends UserError {
  override readonly name = 'LabelQueuePropsError';
}

const schema = z.strictObject(SERVICE_OPTIONS).superRefine(checkRules);

/**
 * Checks settings by the rules of a stage's file. A value that is known only when the stack is deployed, such as a parameter,
 * is taken as it is.
 *
 * @param source how messages call the construct
 * @throws {LabelQueuePropsError}
 */
export function serviceConfigOf(
  props: LabelQueueProps,
  { source, serviceName }: { source: string; serviceName: string },
): ServiceConfig {
  const options = Object.entries(optionsOf(props)).filter(([, value]) => value !== undefined);
  const parsed = schema.safeParse(Object.fromEntries(options.filter(([, value]) => !hasToken(value))));
  if (!parsed.success) {
    throw new LabelQueuePropsError(`wrong settings of ${source}:\n${problemsText(parsed.error, source)}`);
  }
  const unknown = Object.fromEntries(options.filter(([, value]) => hasToken(value)));
  return { ...parsed.data, ...unknown, serviceName, encryptionKey: props.encryptionKey };
}

/** The same in numbers and texts, as a stage's file has it. */
function optionsOf(props: LabelQueueProps): { [Name in keyof ServiceOptions]?: unknown } {
  const { maximumConcurrency, provisionedPollers, memoryMb, batchSize, model, modelPrecision, topK, embedding } = props;
  const { fetchUserAgent, sourceKmsKeyArns, allowedHosts, alarmEmail, failureShareAlarm } = props;
  return {
    ...{ maximumConcurrency, provisionedPollers, memoryMb, batchSize, model, modelPrecision, topK, embedding },
    ...{ fetchUserAgent, sourceKmsKeyArns, allowedHosts, alarmEmail, failureShareAlarm },
    architecture: props.architecture?.name,
    batchWindowSeconds: props.batchWindow?.toSeconds(),
    sourceBuckets: props.sourceBuckets?.map(({ bucketName }) => bucketName),
    resultsExpireAfterDays: props.resultsExpireAfter?.toDays(),
    logRetentionDays: props.logRetention,
    oldestMessageAlarmMinutes: props.oldestMessageAlarm?.toMinutes(),
    tracing: props.tracing === Tracing.ACTIVE ? 'xray' : undefined,
    vpc: networkOf(props),
  };
}

function networkOf({ subnets, securityGroups }: LabelQueueProps): ServiceOptions['vpc'] | undefined {
  if (subnets === undefined && securityGroups === undefined) return undefined;
  return {
    subnetIds: (subnets ?? []).map(({ subnetId }) => subnetId),
    securityGroupIds: (securityGroups ?? []).map(({ securityGroupId }) => securityGroupId),
  };
}

function hasToken(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Token.isUnresolved(value);
  return Token.isUnresolved(value) || Object.values(value).some(hasToken);
}
