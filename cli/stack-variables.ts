/** Where the workers of a stack log, for `bench`; `--stack` sets it. */
export const LOG_GROUP_VARIABLE = 'LABELQUEUE_LOG_GROUP';
