import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { refuse } from './check-saved-model.ts';
import { refusedOperations } from './graph-operations.ts';
import { isInnerPath } from './inner-path.ts';
import { ModelFolderError } from './model-folder-error.ts';
import { TFJS_MODEL_FILE } from './model-format.ts';
import {
  MAX_MODEL_BYTES,
  MAX_TOPOLOGY_BYTES,
  parseJson,
  readModelFile,
  readOptionalModelFile,
} from './read-model-file.ts';

const weightSchema = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.string(),
  quantization: z.looseObject({ dtype: z.string() }).optional(),
});
const manifestSchema = z.array(z.looseObject({ paths: z.array(z.string()), weights: z.array(weightSchema) }));
const nodesSchema = z.array(z.looseObject({ name: z.string().default(''), op: z.string() })).optional();
const graphSchema = z.looseObject({
  node: nodesSchema,
  library: z
    .looseObject({
      function: z
        .array(
          z.looseObject({ signature: z.looseObject({ name: z.string().optional() }).optional(), nodeDef: nodesSchema }),
        )
        .optional(),
    })
    .nullish(),
});
const modelSchema = z.looseObject({ weightsManifest: manifestSchema.optional() });

/** The content of a `model.json` with a valid description of its weights. */
export type TfjsModelFile = z.infer<typeof modelSchema>;

/**
 * Reads `model.json`.
 *
 * @throws {ModelFolderError} naming the invalid field
 */
export async function readTfjsModel(folder: string): Promise<TfjsModelFile> {
  const path = join(folder, TFJS_MODEL_FILE);
  const text = (await readOptionalModelFile(folder, TFJS_MODEL_FILE, MAX_TOPOLOGY_BYTES)) ?? '';
  const parsed = modelSchema.safeParse(parseJson(text, path));
  if (!parsed.success) throw new ModelFolderError(`${path}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** @throws {ModelFolderError} naming each operation of a graph model that does not only compute */
export function checkGraphModel(model: TfjsModelFile, folder: string): void {
  const path = join(folder, TFJS_MODEL_FILE);
  for (const field of ['modelTopology', 'modelInitializer']) {
    const graph = graphSchema.optional().safeParse(model[field]);
    if (!graph.success) throw new ModelFolderError(`${path}: ${field}:\n${z.prettifyError(graph.error)}`);
    const functions = graph.data?.library?.function ?? [];
    const names = new Set(functions.map(({ signature }) => signature?.name ?? ''));
    const nodes = [graph.data?.node, ...functions.map(({ nodeDef }) => nodeDef)].flatMap((some) => some ?? []);
    refuse(
      refusedOperations(
        nodes.map(({ name, op }) => ({ name, operation: op })),
        names,
      ),
      path,
    );
  }
}

/**
 * The weights of a model, concatenated.
 *
 * @throws {ModelFolderError} naming the file that is missing or too large, or when there are fewer bytes than
 *   `model.json` states
 */
export async function readWeights(folder: string, { weightsManifest = [] }: TfjsModelFile): Promise<Buffer> {
  const paths = weightsManifest.flatMap((group) => group.paths.map((path) => path.replace(/^\.\//, '')));
  const outside = paths.find((path) => !isInnerPath(path));
  if (outside !== undefined) {
    throw new ModelFolderError(
      `${join(folder, TFJS_MODEL_FILE)}: expected weightsManifest with paths inside the model's folder, got ${JSON.stringify(outside)}`,
    );
  }
  await checkTotal(folder, paths);
  const files: Buffer[] = [];
  for (const path of paths) files.push(await readModelFile(folder, path, MAX_MODEL_BYTES));
  const bytes = Buffer.concat(files);
  checkDeclared(folder, weightsManifest, bytes.length);
  return bytes;
}

/** Checked before reading: a file may be listed a thousand times. */
async function checkTotal(folder: string, paths: readonly string[]): Promise<void> {
  let bytes = 0;
  for (const path of paths) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    bytes += found?.size ?? 0;
  }
  if (bytes <= MAX_MODEL_BYTES) return;
  throw new ModelFolderError(`${folder}: expected weights of at most ${MAX_MODEL_BYTES} bytes in all, got ${bytes}`);
}

const BYTES_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['complex64', 8],
  ['bool', 1],
  ['uint8', 1],
  ['uint16', 2],
  ['float16', 2],
]);

function checkDeclared(folder: string, manifest: z.infer<typeof manifestSchema>, bytes: number): void {
  let declared = 0;
  for (const { dtype, quantization, shape } of manifest.flatMap(({ weights }) => weights)) {
    // Strings have individual lengths.
    const size = BYTES_OF_TYPE.get(quantization?.dtype ?? dtype) ?? 0;
    declared += shape.reduce((product, side) => product * side, size);
  }
  if (declared <= bytes) return;
  throw new ModelFolderError(
    `${join(folder, TFJS_MODEL_FILE)}: expected ${declared} bytes of weights, as weightsManifest says, the files have ${bytes}`,
  );
}
