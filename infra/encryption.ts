import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { StageConfig } from './stage-config.ts';

/**
 * The account's own key for queues, bucket and logs; undefined where SQS and S3 use theirs. The key's policy is the
 * account's: docs/aws.md lists whom it has to let in.
 */
export function stageKey(scope: Construct, { kmsKeyArn }: Pick<StageConfig, 'kmsKeyArn'>): IKey | undefined {
  if (kmsKeyArn === undefined) return undefined;
  const stack = Stack.of(scope);
  return (stack.node.tryFindChild('Key') as IKey | undefined) ?? Key.fromKeyArn(stack, 'Key', kmsKeyArn);
}

/** With the default of 5 minutes, KMS is asked three times as often. */
const DATA_KEY_REUSE = Duration.minutes(15);

/** What queues are encrypted with. @param key undefined for keys of SQS's own */
export function queueEncryption(key: IKey | undefined): QueueProps {
  return key === undefined
    ? { encryption: QueueEncryption.SQS_MANAGED }
    : { encryption: QueueEncryption.KMS, encryptionMasterKey: key, dataKeyReuse: DATA_KEY_REUSE };
}

/** To send and receive messages, and to write and read objects, under the stage's key. */
export function stageKeyStatements({ kmsKeyArn }: Pick<StageConfig, 'kmsKeyArn'>): PolicyStatement[] {
  if (kmsKeyArn === undefined) return [];
  return [new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [kmsKeyArn] })];
}

/** To read objects of the source buckets, and the model's. */
export function sourceKeyStatements({ sourceKmsKeyArns = [], model }: StageConfig): PolicyStatement[] {
  return decrypting([...sourceKmsKeyArns, ...keyOf(model)]);
}

/** To read the model's objects alone. */
export function modelKeyStatements({ model }: StageConfig): PolicyStatement[] {
  return decrypting(keyOf(model));
}

function keyOf(model: StageConfig['model']): string[] {
  return model?.kmsKeyArn === undefined ? [] : [model.kmsKeyArn];
}

function decrypting(keys: readonly string[]): PolicyStatement[] {
  if (keys.length === 0) return [];
  return [new PolicyStatement({ actions: ['kms:Decrypt'], resources: [...new Set(keys)] })];
}
