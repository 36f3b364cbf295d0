import type { SendMessageBatchCommandInput, SendMessageBatchCommandOutput, SQSClient } from '@aws-sdk/client-sqs';

type Send = (input: SendMessageBatchCommandInput) => Promise<SendMessageBatchCommandOutput>;

/**
 * Stands between a client and SQS at each SendMessageBatch: it may watch, wait, leave entries out
 * and answer what SQS cannot be made to answer.
 */
export function interceptSends(
  sqs: SQSClient,
  intercept: (input: SendMessageBatchCommandInput, send: Send) => Promise<SendMessageBatchCommandOutput>,
): Disposable {
  sqs.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'SendMessageBatchCommand') return next(args);
      const send: Send = async (input) => (await next({ ...args, input })).output as SendMessageBatchCommandOutput;
      return { output: await intercept(args.input as SendMessageBatchCommandInput, send), response: undefined };
    },
    { step: 'initialize', name: 'interceptSends' },
  );
  return { [Symbol.dispose]: () => void sqs.middlewareStack.remove('interceptSends') };
}
