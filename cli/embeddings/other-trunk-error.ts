import { UserError } from '../../shared/contract/user-error.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';

/** A trunk as named in messages: its name in lines, and a model that has it. */
export type NamedTrunk = { trunk: string; model: string };

/** Embeddings of a job do not fit a model, because they come from another trunk. */
export class OtherTrunkError extends UserError {
  override readonly name = 'OtherTrunkError';

  constructor(job: string, stored: NamedTrunk, expected: NamedTrunk) {
    super(
      `the embeddings of ${job} are of the trunk ${named(stored)}, and the model has the trunk ${named(expected)}: ` +
        'expected a model that differs from the one of the job in its last layer alone (docs/embeddings.md)',
    );
  }
}

function named({ trunk, model }: NamedTrunk): string {
  return `${trunk} (${visibleLine(model)})`;
}
