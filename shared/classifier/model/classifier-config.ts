import { z } from 'zod';
import { ModelFolderError } from './model-folder-error.ts';
import { parseJson } from './read-model-file.ts';

const perChannel = z.tuple([z.number(), z.number(), z.number()]);

/** The name of `license` in files of earlier versions. Beside `license`, it is refused. */
const OLD_LICENSE_FIELD = 'licence';

/** @returns the content of a `classifier.json` with the current names of its fields */
export function withCurrentFieldNames(content: unknown): unknown {
  if (!isRecord(content) || !Object.hasOwn(content, OLD_LICENSE_FIELD) || Object.hasOwn(content, 'license'))
    return content;
  const { [OLD_LICENSE_FIELD]: license, ...others } = content;
  return { ...others, license };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const fileSchema = z
  .strictObject({
    name: z.string().min(1),
    version: z.string().min(1),
    license: z.string().min(1),
    /** A label a class, in the order of the scores; in place of `labels.txt`. */
    labels: z.array(z.string().min(1)).min(1).optional(),
    /** Side of the square input, in pixels. */
    inputSize: z.int().min(1).max(4_096),
    /** Share of the shorter side that the centre square keeps. */
    crop: z.number().gt(0).max(1),
    interpolation: z.enum(['nearest', 'linear', 'cubic', 'lanczos3']),
    /** Per RGB channel, in units of 0 to 255; only for models that take float32. */
    mean: perChannel.optional(),
    std: perChannel.refine((values) => values.every((value) => value > 0), 'expected three numbers above 0').optional(),
    /** What 0 and 255 become; in place of `mean` and `std`. */
    range: z
      .tuple([z.number(), z.number()])
      .refine(([low, high]) => low < high, 'expected [low, high] with low below high, e.g. [-1, 1]')
      .optional(),
    /** Of a SavedModel; `serving_default` when it is not given. */
    signature: z.string().min(1).optional(),
    /** The name of the output that holds one score a class; may be left out when there is only one. */
    output: z.string().min(1).optional(),
    /** What makes probabilities of the output's scores. */
    activation: z.enum(['none', 'softmax', 'sigmoid']).default('none'),
    /**
     * A folder in this one with a SavedModel of the same signature that computes in eight-bit integers; it is
     * loaded in place of the other where the processor computes it right.
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
    /** For several labels an image: a label whose score reaches it is in the line. */
    threshold: z.number().gt(0).max(1).optional(),
  })
  .refine(({ range, mean, std }) => range === undefined || (mean === undefined && std === undefined), {
    message: 'expected either range or mean and std, got both',
    path: ['range'],
  });

/** The content of `classifier.json`. */
type ConfigFile = z.infer<typeof fileSchema>;

/**
 * How a model is used: `classifier.json` with `range` in terms of `mean` and `std`, or what a
 * Teachable Machine export means by itself.
 */
export type ClassifierConfig = Omit<ConfigFile, 'labels' | 'range' | 'license'> & { license?: string };

/** @throws {ModelFolderError} naming each field that is wrong, what was expected and what was found */
export function parseClassifierConfig(
  text: string,
  path: string,
): { config: ClassifierConfig; labels: readonly string[] | undefined } {
  const parsed = fileSchema.safeParse(withCurrentFieldNames(parseJson(text, path)));
  if (!parsed.success) throw new ModelFolderError(`${path}:\n${z.prettifyError(parsed.error)}`);
  const { labels, range, ...config } = parsed.data;
  return { config: { ...config, ...(range !== undefined && meanAndStd(range)) }, labels };
}

const WHITE = 255;

/** Those with which (x - mean) / std takes 0 to `low` and 255 to `high`. */
export function meanAndStd([low, high]: readonly [low: number, high: number]): Required<
  Pick<ConfigFile, 'mean' | 'std'>
> {
  const std = WHITE / (high - low);
  // Not -0, which would be one in a report.
  const mean = 0 - low * std;
  return { mean: [mean, mean, mean], std: [std, std, std] };
}
