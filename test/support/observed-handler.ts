/** The real worker handler, which also logs what TensorFlow holds: once it is loaded and after each invocation. */
import type { Context, SQSEvent } from 'aws-lambda';
import { handler as realHandler } from '../../functions/classify/handler.ts';
import { tensorflowUse } from '../../shared/classifier/model/tensorflow/tfjs-node.ts';

export async function handler(event: SQSEvent, context: Context) {
  try {
    return await realHandler(event, context);
  } finally {
    report();
  }
}

function report(): void {
  process.stdout.write(`${JSON.stringify({ tensorflow: tensorflowUse() })}\n`);
}

report();
