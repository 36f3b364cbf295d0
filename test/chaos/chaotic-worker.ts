import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { JobTarget } from '../../shared/jobs/job-target.ts';
import { ExecutionEnvironment, type FunctionConfiguration } from '../../worker/execution-environment.ts';
import type { Random } from '../support/random.ts';

/** A worker whose messages are now and then given to another one as well, while it works on them. */
export class ChaoticWorker extends ExecutionEnvironment {
  readonly #target: JobTarget;
  readonly #doubleDeliveryRate: number;
  readonly #random: Random;
  #busy = false;

  /** @param doubleDeliveryRate share of the invocations with a message that another worker gets, too */
  constructor(configuration: FunctionConfiguration, target: JobTarget, doubleDeliveryRate: number, random: Random) {
    super(configuration);
    this.#target = target;
    this.#doubleDeliveryRate = doubleDeliveryRate;
    this.#random = random;
  }

  /** Whether it is working on an invocation. */
  get busy(): boolean {
    return this.#busy;
  }

  override async invoke(event: SQSEvent): Promise<SQSBatchResponse> {
    this.#busy = true;
    try {
      if (this.#random.happens(this.#doubleDeliveryRate)) await this.#showToOthers(event);
      return await super.invoke(event);
    } finally {
      this.#busy = false;
    }
  }

  async #showToOthers({ Records }: SQSEvent): Promise<void> {
    const { sqs, queueUrl: QueueUrl } = this.#target;
    const { receiptHandle: ReceiptHandle } = this.#random.pick(Records);
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  }
}
