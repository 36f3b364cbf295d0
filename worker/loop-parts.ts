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
  /** The visibility timeout of the queue. */
  visibilitySeconds: number;
  environments: readonly ExecutionEnvironment[];
  /** Called when a batch fails as a whole, and when a process does not start. */
  onFunctionError: (error: FunctionError) => void;
  /** Called with a line when SQS does not respond, and when it responds again; by default, standard error. */
  onNotice?: (text: string) => void;
  /** Messages per invocation, at most. */
  batchSize?: number;
  /** Whether processes are started only when there is work. */
  isLazy?: boolean;
  /** A process that uses more memory after a batch is replaced. */
  processMemoryBytes?: number;
  /** Timeout of an invocation. */
  timeoutSeconds?: number;
  pollSeconds?: number;
  answerTimeoutMs?: number;
  longestWaitMs?: number;
};

/** The counts of a loop, in messages; `restarts` counts processes, `failures` batches. */
export type WorkCounts = {
  received: number;
  acknowledged: number;
  /** Not acknowledged: redelivered after their visibility timeout. */
  left: number;
  givenBack: number;
  lost: number;
  failures: number;
  restarts: number;
};

/** The state that the parts of a loop share. */
export type LoopParts = {
  options: WorkLoopOptions;
  calls: QueueCalls;
  held: HeldMessages;
  pace: Pace;
  drain: Drain;
  /** Wakes pollers and lanes when something changes that they may wait for. */
  changed: WakeUp;
  counts: Omit<WorkCounts, 'lost' | 'restarts'>;
  /** Environments with a ready process. */
  ready: Set<ExecutionEnvironment>;
  /** Whether any process has started so far. */
  started: { any: boolean };
  /** Stops the loop because one part has failed. */
  fail: () => void;
};

/** Makes messages visible immediately. Failures are left to the visibility timeout. */
export async function giveBack({ calls, held, counts }: LoopParts, messages: readonly HeldMessage[]): Promise<void> {
  // First, since a heartbeat would extend their leases again.
  held.release(messages);
  const given = await calls.giveBack(messages);
  counts.givenBack += given;
  counts.left += messages.length - given;
}

/** The same for all waiting messages. */
export async function giveBackWaiting(parts: LoopParts): Promise<void> {
  await giveBack(parts, parts.held.take(Number.POSITIVE_INFINITY));
}
