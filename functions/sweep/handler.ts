import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { SDK_REQUEST_OPTIONS, SWEEP_RESERVE_MS } from '../../shared/contract/limits.ts';
import { createJobTarget } from '../../shared/jobs/job-target.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { sweepSettingsFrom } from '../../shared/settings.ts';
import { type Swept, sweep } from './sweep.ts';

const { serviceName, ...settings } = sweepSettingsFrom(process.env);
const logger = new Logger({ serviceName });
const target = createJobTarget(settings, { requestHandler: SDK_REQUEST_OPTIONS });

/** Whatever the schedule's event says. */
async function sweepNow(_event: unknown, context: Context): Promise<Swept> {
  const signal = deadlineSignal(context.getRemainingTimeInMillis(), SWEEP_RESERVE_MS);
  const swept = await sweep(target, new Date(), signal);
  logger.info('swept', { ...swept });
  return swept;
}

/** Gives images an outcome whose messages AWS moved to the DLQ by itself. */
export const handler = middy<unknown, Swept>()
  // Said explicitly, since a variable of Powertools would else turn whole events on.
  .use(injectLambdaContext(logger, { resetKeys: true, logEvent: false }))
  .handler(sweepNow);
