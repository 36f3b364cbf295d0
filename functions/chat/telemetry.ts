import type { Logger } from '@aws-lambda-powertools/logger';
import type { TimedStage } from '../../shared/classifier/classify-image.ts';
import type { BatchObserver } from '../../shared/classifier/inference-result.ts';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';

/** What is logged of a turn of the conversation. Never the user's text, nor its URL. */
export type TurnReport = {
  localeId: string;
  outcome: 'asked for a URL' | 'delegated' | 'labeled' | 'failed' | 'out of time';
  code?: ErrorCode;
  /** Milliseconds. */
  stages: Partial<Record<TimedStage, number>>;
};

/** What the chatbot reports. */
export type ChatTelemetry = { turn(report: TurnReport): void; batch: BatchObserver };

/** JSON lines on standard output. */
export function createTelemetry(logger: Logger): ChatTelemetry {
  return {
    turn({ localeId, outcome, code, stages }) {
      const ms = Object.fromEntries(Object.entries(stages).map(([name, time]) => [name, Math.round(time)]));
      logger.info('turn answered', { localeId, outcome, ...(code !== undefined && { code }), ms });
    },
    batch(images, milliseconds) {
      logger.debug('inference', { images, milliseconds });
    },
  };
}
