import { displayName } from './display-name.ts';
import type { NearDuplicateGroups } from './near-duplicate-groups.ts';
import type { LabelFacts, TeachingWarning } from './teaching.ts';

/** With fewer photos, one test photo changes the accuracy of a label by more than ten per cent. */
const FEW_PHOTOS = 10;
const SHOWN = 5;

/** Warnings about data that makes the model worse, or its accuracy look better than it is. */
export function warningsOf(
  labels: readonly LabelFacts[],
  { divided, acrossLabels }: NearDuplicateGroups,
): TeachingWarning[] {
  const few = labels.filter(({ training, heldOut }) => training + heldOut < FEW_PHOTOS);
  return [
    ...warning(
      few.map(({ label, training, heldOut }) => `${label} (${training + heldOut})`),
      'few_photos',
      `fewer than ${FEW_PHOTOS} different photos: the accuracy is a rough estimate for these labels; add photos here first`,
    ),
    ...warning(
      divided,
      'photos_alike',
      'most photos are nearly the same, so the test photos resemble the training photos: the accuracy is overestimated for these labels',
    ),
    ...warning(
      acrossLabels.map(({ one, other }) => `${displayName(one)} and ${displayName(other)}`),
      'alike_under_two_labels',
      'nearly the same photo under two labels: one of them is probably wrong',
    ),
  ];
}

function warning(names: readonly string[], code: TeachingWarning['code'], text: string): TeachingWarning[] {
  if (names.length === 0) return [];
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return [{ code, message: `${names.slice(0, SHOWN).join(', ')}${more}: ${text}` }];
}
