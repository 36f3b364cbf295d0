/** Where the workers of a stack log, for `bench`; `--stack` sets it. */
export const LOG_GROUP_VARIABLE = 'LABELQUEUE_LOG_GROUP';
/** What the workers of a stack are, for estimates; see `shared/contract/stage-workers.ts`. `--stack` sets it. */
export const WORKERS_VARIABLE = 'LABELQUEUE_WORKERS';
