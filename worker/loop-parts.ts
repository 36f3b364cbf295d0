import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Drain } from './drain.ts';
import type { ExecutionEnvironment, FunctionError } from './execution-environment.ts';
import type { HeldMessage } from './held-message.ts';
import type { HeldMessages } from './held-messages.ts';
import type { Pace } from './pace.ts';
import type { QueueCalls } from './queue-calls.ts';
import type { WakeUp } from './wake-up.ts';

/** What a loop works on and with. */
export type WorkLoopOptions = {
  sqs: SQSClient;
  queueUrl: string;
  /** The queue's visibility timeout: how long it hides a message from others. */
  visibilitySeconds: number;
  environments: readonly ExecutionEnvironment[];
  /** Is given each batch's failure as a whole, and why a process did not start. */
  onFunctionError: (error: FunctionError) => void;
  /** Is given a line when SQS does not answer, and another when it does again; standard error without. */
  onNotice?: (text: string) => void;
  /** Messages that an invocation is given at most. */
  batchSize?: number;
  /** Whether a process is started only once there is work for it. */
  isLazy?: boolean;
  /** A process that holds more bytes than this after a batch is replaced. */
  processMemoryBytes?: number;
  /** The most that an invocation may take. */
  timeoutSeconds?: number;
  pollSeconds?: number;
  answerTimeoutMs?: number;
  longestWaitMs?: number;
};

/** What a loop has done so far, in messages; `restarts` and `failures` count processes and batches. */
export type WorkCounts = {
  received: number;
  acknowledged: number;
  /** Not acknowledged: they come back when their visibility timeout ends. */
  left: number;
  givenBack: number;
  lost: number;
  failures: number;
  restarts: number;
};

/** What the parts of a loop share. */
export type LoopParts = {
  options: WorkLoopOptions;
  calls: QueueCalls;
  held: HeldMessages;
  pace: Pace;
  drain: Drain;
  /** Wakes pollers and lanes when what they wait for may be there. */
  changed: WakeUp;
  counts: Omit<WorkCounts, 'lost' | 'restarts'>;
  /** Environments that have a process and can take work. */
  ready: Set<ExecutionEnvironment>;
  /** Whether any process has started so far. */
  started: { any: boolean };
  /** One part cannot go on: the others must not wait for it. */
  fail: () => void;
};

/** Makes messages visible to others at once. What fails is left to its visibility timeout. */
export async function giveBack({ calls, held, counts }: LoopParts, messages: readonly HeldMessage[]): Promise<void> {
  // First: a heartbeat meanwhile would hide them again.
  held.release(messages);
  const given = await calls.giveBack(messages);
  counts.givenBack += given;
  counts.left += messages.length - given;
}

/** The same of all that waits. */
export async function giveBackWaiting(parts: LoopParts): Promise<void> {
  await giveBack(parts, parts.held.take(Number.POSITIVE_INFINITY));
}
