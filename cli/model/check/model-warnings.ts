import type { ClassifierConfig } from '../../../shared/classifier/model/classifier-config.ts';
import type { ModelFormat } from '../../../shared/classifier/model/model-format.ts';
import type { ModelInput } from '../../../shared/classifier/model/model-input.ts';

/** A likely mistake in a model that runs. The codes are stable. */
export type ModelWarning = {
  code:
    | 'slow_format'
    | 'one_image_at_once'
    | 'output_not_read'
    | 'int8_not_used'
    | 'activation_twice'
    | 'scores_are_logits'
    | 'scores_do_not_add_up'
    | 'flat_scores'
    | 'not_normalized'
    | 'normalized_twice'
    | 'wrong_normalization';
  message: string;
};

/** How many times slower than as a SavedModel a network is; docs/models.md has what was measured. */
const TIMES_SLOWER: Partial<Record<ModelFormat, string>> = {
  'layers-model': '1.6 to 3.6',
  'graph-model': '1.2 to 1.8',
};

export function formatWarnings(format: ModelFormat, { fixedBatch }: ModelInput): ModelWarning[] {
  const warnings: ModelWarning[] = [];
  const times = TIMES_SLOWER[format];
  if (times !== undefined) {
    warnings.push({
      code: 'slow_format',
      message:
        `a ${format.replace('-', ' ')} runs ${times} times slower than the same network as a SavedModel: ` +
        'make one with `labelqueue model convert`, or export it from Keras (model.export)',
    });
  }
  if (fixedBatch !== undefined) {
    warnings.push({
      code: 'one_image_at_once',
      message:
        'the model takes one image at a time, so batches do not speed it up: export it with a free batch dimension',
    });
  }
  return warnings;
}

/** Scores of single images as the model gave them, before any activation. */
type Rows = readonly Float32Array[];

/** How far a sum of float32 scores may be from 1. */
const SUM_TOLERANCE = 0.01;

const sumsToOne = (rows: Rows) =>
  rows.every((row) => Math.abs(row.reduce((sum, score) => sum + score, 0) - 1) <= SUM_TOLERANCE);
const withinZeroAndOne = (rows: Rows) => rows.every((row) => row.every((score) => score >= 0 && score <= 1));

/** Whether what the output holds fits the configured activation. */
export function activationWarnings(
  rows: Rows,
  { activation, threshold }: Pick<ClassifierConfig, 'activation' | 'threshold'>,
): ModelWarning[] {
  if (rows.length === 0) return [];
  const between = withinZeroAndOne(rows);
  const sums = sumsToOne(rows);
  if (activation !== 'none') {
    const applied = activation === 'softmax' ? between && sums : between;
    if (!applied) return [];
    return [
      {
        code: 'activation_twice',
        message: `${activation} is applied twice: the output holds probabilities already. Leave activation out of classifier.json`,
      },
    ];
  }
  if (!between) {
    return [
      {
        code: 'scores_are_logits',
        message:
          'the output holds numbers outside 0 to 1, which are logits: say "activation": "softmax" in classifier.json, ' +
          'or "sigmoid" when an image may have several labels',
      },
    ];
  }
  if (!sums && threshold === undefined) {
    return [
      {
        code: 'scores_do_not_add_up',
        message:
          'the scores of an image do not add up to 1: if it may have several labels, give classifier.json a threshold, e.g. 0.5',
      },
    ];
  }
  return sums && rows.length >= ENOUGH_IMAGES && rows.every(isFlat) ? [FLAT] : [];
}

const FLAT: ModelWarning = {
  code: 'flat_scores',
  message: 'no label of any image stands out: the model applies softmax twice, or is untrained',
};

/** A softmax of probabilities cannot make one larger than e times another, since they differ by at most 1. */
function isFlat(row: Float32Array): boolean {
  return row.length > 1 && Math.max(...row) <= Math.min(...row) * Math.E * (1 + SUM_TOLERANCE);
}

/** With at least this many images, what they have in common is attributed to the model. */
const ENOUGH_IMAGES = 4;

/** Whether the model's own layers and the configured normalization fit together. */
export function normalizationWarnings(
  { mean, std }: Pick<ClassifierConfig, 'mean' | 'std'>,
  { dtype }: ModelInput,
  normalizesItself: boolean,
): ModelWarning[] {
  if (dtype !== 'float32') return [];
  const configured = mean !== undefined || std !== undefined;
  if (configured && normalizesItself) {
    return [
      {
        code: 'normalized_twice',
        message:
          'the model already rescales pixels, and classifier.json normalizes them as well: leave range, mean and std out',
      },
    ];
  }
  if (configured || normalizesItself) return [];
  return [
    {
      code: 'not_normalized',
      message:
        'the model gets pixels from 0 to 255 as they are and no layer of it seems to rescale them: most models ' +
        'are trained on a "range" of [0, 1] or [-1, 1]',
    },
  ];
}

/** Bits of information in nats: below it, an image hardly changes the answer. */
const LITTLE = 0.1;
/** By so much an answer must depend more on the image before another normalization is recommended. */
const MUCH_MORE = 0.5;

/**
 * Compares the answers that the images get with the configured normalization to those with others. What counts is the
 * mutual information of image and label (the logarithm of Salimans' inception score): it is high when the answers are
 * confident and differ between images. Confidence alone proves nothing, since larger inputs make most networks more
 * confident.
 *
 * @param probabilities of each image, with the configured normalization
 * @param others the same with normalizations of these names
 */
export function comparisonWarnings(probabilities: Rows, others: Readonly<Record<string, Rows>>): ModelWarning[] {
  if (probabilities.length < ENOUGH_IMAGES) return [];
  const configured = information(probabilities);
  const [best] = Object.entries(others)
    .map(([name, rows]) => ({ name, gained: information(rows) - configured }))
    .sort((one, other) => other.gained - one.gained);
  if (best === undefined || configured >= LITTLE || best.gained < MUCH_MORE) return [];
  return [
    {
      code: 'wrong_normalization',
      message:
        `with the configured normalization all ${probabilities.length} images get nearly the same answer, ` +
        `with ${best.name} they do not: check how the model was trained`,
    },
  ];
}

/** Mutual information of image and label, in nats: 0 when all images get the same answer. */
function information(rows: Rows): number {
  const classes = rows[0]?.length ?? 0;
  const mean = Float32Array.from(
    { length: classes },
    (_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0) / rows.length,
  );
  return entropy(mean) - rows.reduce((sum, row) => sum + entropy(row), 0) / rows.length;
}

function entropy(row: Float32Array): number {
  return -row.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0);
}
