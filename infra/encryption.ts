import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { ServiceConfig } from './service-config.ts';

/** With the default of 5 minutes, KMS is asked three times as often. */
const DATA_KEY_REUSE = Duration.minutes(15);

/** What queues are encrypted with. @param key undefined for keys of SQS's own */
export function queueEncryption(key: IKey | undefined): QueueProps {
  return key === undefined
    ? { encryption: QueueEncryption.SQS_MANAGED }
    : { encryption: QueueEncryption.KMS, encryptionMasterKey: key, dataKeyReuse: DATA_KEY_REUSE };
}

/**
 * Lets CloudWatch Logs use the key, which a role cannot allow. A key that is imported keeps its policy: docs/aws.md lists
 * what that has to allow.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function allowLogs(key: IKey): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*`,
        },
      },
    }),
    true,
  );
}

/** To send and receive messages, and to write and read objects, under the service's key. */
export function encryptionKeyStatements({ encryptionKey }: Pick<ServiceConfig, 'encryptionKey'>): PolicyStatement[] {
  if (encryptionKey === undefined) return [];
  const { keyArn } = encryptionKey;
  return [new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keyArn] })];
}

/** To read objects of the source buckets, and the model's. */
export function sourceKeyStatements({
  sourceKmsKeyArns = [],
  model,
}: Pick<ServiceConfig, 'sourceKmsKeyArns' | 'model'>): PolicyStatement[] {
  return decrypting([...sourceKmsKeyArns, ...keyOf(model)]);
}

/** To read the model's objects alone. */
export function modelKeyStatements({ model }: Pick<ServiceConfig, 'model'>): PolicyStatement[] {
  return decrypting(keyOf(model));
}

function keyOf(model: ServiceConfig['model']): string[] {
  return model?.kmsKeyArn === undefined ? [] : [model.kmsKeyArn];
}

function decrypting(keys: readonly string[]): PolicyStatement[] {
  if (keys.length === 0) return [];
  return [new PolicyStatement({ actions: ['kms:Decrypt'], resources: [...new Set(keys)] })];
}
