import { z } from 'zod';
import { ModelFolderError } from './model-folder-error.ts';
import { parseJson } from './read-model-file.ts';

const perChannel = z.tuple([z.number(), z.number(), z.number()]);

const fileSchema = z
  .strictObject({
    name: z.string().min(1),
    version: z.string().min(1),
    licence: z.string().min(1),
    /** One label per class, in the order of the scores; in place of `labels.txt`. */
    labels: z.array(z.string().min(1)).min(1).optional(),
    /** Side of the square input, in pixels. */
    inputSize: z.int().min(1).max(4_096),
    /** The side of the centre square as a fraction of the shorter side. */
    crop: z.number().gt(0).max(1),
    interpolation: z.enum(['nearest', 'linear', 'cubic', 'lanczos3']),
    /** Per RGB channel, in units of 0 to 255; only for models that take float32. */
    mean: perChannel.optional(),
    std: perChannel.refine((values) => values.every((value) => value > 0), 'expected three numbers above 0').optional(),
    /** The input values for 0 and 255; in place of `mean` and `std`. */
    range: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, 'expected [low, high] with low below high, e.g. [-1, 1]')
      .optional(),
    /** The signature of a SavedModel; by default `serving_default`. */
    signature: z.string().min(1).optional(),
    /** The name of the output with one score per class; optional when there is only one output. */
    output: z.string().min(1).optional(),
    /** What turns the scores of the output into probabilities. */
    activation: z.enum(['none', 'softmax', 'sigmoid']).default('none'),
    /**
     * A subfolder with a SavedModel of the same signature that computes in eight-bit integers; loaded instead where the
     * processor computes it correctly.
     */
    int8: z
      .string()
      .regex(/^[\w-]+$/, 'expected the name of a folder in the model folder')
      .optional(),
    /**
     * Which processors that model is right on: those that add products of integers in 32 bits (VNNI), or also those that add two in
     * 16 bits first (AVX2). Not said: `vnni`. For AVX2, two neighbouring weights of one sign may add up to no more than 128.
     */
    int8For: z.enum(['vnni', 'avx2']).optional(),
    /** For several labels per image: labels whose score reaches it are in the line. */
    threshold: z.number().gt(0).max(1).optional(),
  })
  .refine(({ range, mean, std }) => range === undefined || (mean === undefined && std === undefined), {
    message: 'expected either range or mean and std, got both',
    path: ['range'],
  });

/** The content of `classifier.json`. */
type ConfigFile = z.infer<typeof fileSchema>;

/**
 * How a model is used: `classifier.json` with `range` converted to `mean` and `std`, or the fixed configuration of a Teachable
 * Machine export.
 */
export type ClassifierConfig = Omit<ConfigFile, 'labels' | 'range' | 'licence'> & { licence?: string };

/** @throws {ModelFolderError} naming each invalid field, what was expected and what was found */
export function parseClassifierConfig(
  text: string,
  path: string,
): { config: ClassifierConfig; labels: readonly string[] | undefined } {
  const parsed = fileSchema.safeParse(parseJson(text, path));
  if (!parsed.success) throw new ModelFolderError(`${path}:\n${z.prettifyError(parsed.error)}`);
  const { labels, range, ...config } = parsed.data;
  return { config: { ...config, ...(range !== undefined && meanAndStd(range)) }, labels };
}

const WHITE = 255;

/** The mean and std with which (x - mean) / std maps 0 to `low` and 255 to `high`. */
export function meanAndStd([low, high]: readonly [low: number, high: number]): Required<
  Pick<ConfigFile, 'mean' | 'std'>
> {
  const std = WHITE / (high - low);
  // Not -0, which a report would show.
  const mean = 0 - low * std;
  return { mean: [mean, mean, mean], std: [std, std, std] };
}
