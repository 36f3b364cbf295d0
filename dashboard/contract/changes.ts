import type { ApiError } from './api-error.ts';
import type { DeadLetterFilter } from './dead-letters.ts';

/**
 * Each POST takes `content-type: application/json`, the header `x-labelqueue-csrf`, and answers 200 with
 * {@link Changed} or an {@link ApiError}. `confirm` is what the person has typed; the server compares it again.
 *
 * - `POST /api/dead-letters/redrive` and `/api/dead-letters/delete`: {@link DeadLetterChange}; `confirm` is the number of
 *   matching messages. 409 `count-changed` with the new number in `expected` when it is not the same any more. Letters
 *   that are not messages, and those of cancelled jobs or earlier runs, cannot be redriven, and stay.
 * - `POST /api/jobs/<job>/cancel`: {@link JobChange}; `confirm` is the job's name.
 * - `POST /api/jobs/<job>/redrive`: {@link JobRedrive}; `confirm` is the job's name. Sends its failed images again.
 */
export type DeadLetterChange = { filter: DeadLetterFilter; confirm: string };
export type JobChange = { confirm: string };
export type JobRedrive = { confirm: string; codes?: string[] };

export type Changed = {
  /** Images sent again; 0 for a deletion or cancellation. */
  images: number;
  /** Removed from the dead-letter queue. */
  messages: number;
  /** One sentence for the user, e.g. `12 images sent again, 12 dead letters removed.` */
  text: string;
};
