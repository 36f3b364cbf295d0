import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { SDK_REQUEST_OPTIONS, SWEEP_RESERVE_MS } from '../../shared/contract/limits.ts';
import { createJobTarget } from '../../shared/jobs/job-target.ts';
import { loggedHandler } from '../../shared/lambda/logged-handler.ts';
import { deadlineSignal } from '../../shared/runtime/deadline.ts';
import { sweepSettingsFrom } from '../../shared/settings.ts';
import { type Swept, sweep } from './sweep.ts';

const { serviceName, ...settings } = sweepSettingsFrom(process.env);
const logger = new Logger({ serviceName });
const target = createJobTarget(settings, { requestHandler: SDK_REQUEST_OPTIONS });

/** Ignores the content of the scheduled event. */
async function sweepNow(_event: unknown, context: Context): Promise<Swept> {
  const signal = deadlineSignal(context.getRemainingTimeInMillis(), SWEEP_RESERVE_MS);
  const swept = await sweep(target, new Date(), signal);
  logger.info('swept', { ...swept });
  return swept;
}

/** Writes failures for images whose messages AWS itself moved to the DLQ. */
export const handler = loggedHandler<unknown, Swept>(logger).handler(sweepNow);
