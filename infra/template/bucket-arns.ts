import { Aws, CfnCondition, type CfnParameter, Fn, type Stack } from 'aws-cdk-lib';

const OTHER_PARTITIONS = { China: 'aws-cn', GovCloud: 'aws-us-gov' };

/** ARNs of the buckets that a parameter lists. CloudFormation joins with constants alone, so each partition has its own. */
export class BucketArns {
  readonly #buckets: CfnParameter;
  readonly #partitions: [condition: CfnCondition, partition: string][];

  constructor(stack: Stack, buckets: CfnParameter) {
    this.#buckets = buckets;
    this.#partitions = Object.entries(OTHER_PARTITIONS).map(([name, partition]) => [
      new CfnCondition(stack, `Is${name}`, { expression: Fn.conditionEquals(Aws.PARTITION, partition) }),
      partition,
    ]);
  }

  /** @param suffix behind each ARN */
  with(suffix: string): unknown {
    return this.#partitions.reduce<unknown>(
      (otherwise, [condition, partition]) =>
        Fn.conditionIf(condition.logicalId, this.#in(partition, suffix), otherwise),
      this.#in('aws', suffix),
    );
  }

  #in(partition: string, suffix: string): string[] {
    const before = `arn:${partition}:s3:::`;
    const joined = Fn.join(`${suffix},${before}`, this.#buckets.valueAsList);
    return Fn.split(',', Fn.join('', [before, joined, suffix]));
  }
}
