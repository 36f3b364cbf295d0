import { bytesOf, fieldsOf, ProtobufError, textsOf } from './protobuf-fields.ts';
import { withoutPort } from './tensorflow/loaded-model.ts';

/**
 * The content of a `saved_model.pb` that determines what a model can do. The field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto, saver.proto, graph.proto, function.proto, node_def.proto,
 * attr_value.proto and tensor.proto.
 */

/** An operation of a graph or a function. */
export type GraphNode = {
  name: string;
  operation: string;
  /** `name`, `name:port` or `^name`; in functions `name:output:port`, or the name of an argument. */
  inputs: readonly string[];
  /** The functions in its attributes. */
  functions: readonly string[];
  /** The attributes that are true, e.g. `transpose_b` of a MatMul. */
  flags: readonly string[];
  /** The memory of its constant tensors, as declared. */
  constantBytes: number;
};

/** A function: its arguments and the operations of its body. */
export type GraphFunction = {
  name: string;
  arguments: readonly string[];
  nodes: readonly GraphNode[];
  /** Whether TensorFlow may substitute it for another implementation. */
  interchangeable: boolean;
};

/** A graph, with everything that TensorFlow may run of it. */
export type ModelGraph = {
  nodes: readonly GraphNode[];
  functions: readonly GraphFunction[];
  /** The tensors and operations that are requested when it is loaded or used, except restoring. */
  entries: readonly string[];
  /** The operations that restore variables. */
  restoreEntries: readonly string[];
  /** The tensors that receive the path of the variables. */
  variablePaths: readonly string[];
  /** The file names in `assets/`. */
  assets: readonly string[];
};

/**
 * Every graph of a SavedModel. A field that should occur once but occurs repeatedly is read each time: other readers may use any
 * occurrence.
 *
 * @throws {ProtobufError}
 */
export function savedModelGraphs(bytes: Buffer): ModelGraph[] {
  const room = { nodes: MAX_NODES };
  return bytesOf(bytes, 2).map((metaGraph) => modelGraph(metaGraph, room));
}

/** Maximum number of operations: the largest image models have about ten thousand; an empty one takes two bytes in the file. */
const MAX_NODES = 500_000;

/** The remaining number of operations. */
type Room = { nodes: number };

function nodesOf(message: Buffer, number: number, room: Room): GraphNode[] {
  const definitions = bytesOf(message, number);
  room.nodes -= definitions.length;
  if (room.nodes < 0) throw new ProtobufError(`expected at most ${MAX_NODES} operations`);
  return definitions.map(graphNode);
}

function modelGraph(metaGraph: Buffer, room: Room): ModelGraph {
  const graphs = bytesOf(metaGraph, 2);
  const savers = bytesOf(metaGraph, 3);
  return {
    nodes: graphs.flatMap((graph) => nodesOf(graph, 1, room)),
    functions: graphs
      .flatMap((graph) => bytesOf(graph, 2))
      .flatMap((library) => bytesOf(library, 1).map((definition) => graphFunction(definition, room))),
    entries: [...bytesOf(metaGraph, 5).flatMap(signatureOutputs), ...bytesOf(metaGraph, 4).flatMap(collectedNames)],
    restoreEntries: savers.flatMap((saver) => textsOf(saver, 3)),
    variablePaths: savers.flatMap((saver) => textsOf(saver, 1)),
    assets: bytesOf(metaGraph, 6).flatMap((asset) => textsOf(asset, 2)),
  };
}

/** The outputs of a signature, which is a map entry; the initialization is a signature too. */
function signatureOutputs(entry: Buffer): string[] {
  const outputs = bytesOf(entry, 2).flatMap((signature) => bytesOf(signature, 2));
  return outputs.flatMap((output) => bytesOf(output, 2)).flatMap((tensor) => textsOf(tensor, 1));
}

/** An input or an output of a signature. */
export type SignatureTensor = { signature: string; name: string /** As TensorFlow numbers them. */; type: number };

/**
 * The inputs and outputs of all signatures.
 *
 * @throws {ProtobufError}
 */
export function signatureTensors(bytes: Buffer): SignatureTensor[] {
  const entries = bytesOf(bytes, 2).flatMap((metaGraph) => bytesOf(metaGraph, 5));
  return entries.flatMap((entry) => {
    const signature = textsOf(entry, 1).at(-1) ?? '';
    const tensors = bytesOf(entry, 2).flatMap((one) => [...bytesOf(one, 1), ...bytesOf(one, 2)]);
    return tensors.flatMap((mapped) => {
      const name = textsOf(mapped, 1).at(-1) ?? '';
      return bytesOf(mapped, 2).map((tensor) => ({ signature, name, type: typeOf(tensor) }));
    });
  });
}

/** The default signature of Keras and TensorFlow Serving. */
export const DEFAULT_SIGNATURE = 'serving_default';

/**
 * The graph's name of the tensor with the scores of a signature.
 *
 * @param output its name in the signature, with or without `:0`; optional when there is only one output
 * @returns undefined when there is no such output
 * @throws {ProtobufError}
 */
export function scoresTensor(
  bytes: Buffer,
  { signature = DEFAULT_SIGNATURE, output }: { signature?: string | undefined; output?: string | undefined },
): string | undefined {
  const entries = bytesOf(bytes, 2).flatMap((metaGraph) => bytesOf(metaGraph, 5));
  const outputs = entries
    .filter((entry) => textsOf(entry, 1).at(-1) === signature)
    .flatMap((entry) => bytesOf(entry, 2))
    .flatMap((definition) => bytesOf(definition, 2));
  const found = outputs.find((mapped) => output === undefined || textsOf(mapped, 1).at(-1) === withoutPort(output));
  const tensors = found === undefined ? [] : bytesOf(found, 2);
  return tensors.flatMap((info) => textsOf(info, 1)).at(-1);
}

function typeOf(tensor: Buffer): number {
  const field = fieldsOf(tensor).findLast(({ number }) => number === 2);
  return typeof field?.value === 'number' ? field.value : 0;
}

/** The collections of operations, with those for initialization. */
function collectedNames(entry: Buffer): string[] {
  const [key] = textsOf(entry, 1);
  if (key !== 'saved_model_main_op' && key !== 'legacy_init_op') return [];
  return bytesOf(entry, 2)
    .flatMap((collection) => bytesOf(collection, 1))
    .flatMap((list) => textsOf(list, 1));
}

function graphFunction(definition: Buffer, room: Room): GraphFunction {
  const signatures = bytesOf(definition, 1);
  const attributes = bytesOf(definition, 5).flatMap((entry) => textsOf(entry, 1));
  return {
    name: signatures.flatMap((signature) => textsOf(signature, 1)).at(-1) ?? '',
    arguments: signatures
      .flatMap((signature) => bytesOf(signature, 2))
      .map((argument) => textsOf(argument, 1).at(-1) ?? ''),
    nodes: nodesOf(definition, 3, room),
    interchangeable: attributes.includes('api_implements'),
  };
}

function graphNode(definition: Buffer): GraphNode {
  const found: Attributes = { functions: [], constantBytes: 0 };
  const flags: string[] = [];
  for (const entry of bytesOf(definition, 5)) {
    const values = bytesOf(entry, 2);
    for (const value of values) readAttribute(value, found, 0);
    if (values.some(isTrue)) flags.push(textsOf(entry, 1).at(-1) ?? '');
  }
  return {
    name: textsOf(definition, 1).at(-1) ?? '',
    operation: textsOf(definition, 2).at(-1) ?? '',
    inputs: textsOf(definition, 3),
    flags,
    ...found,
  };
}

function isTrue(value: Buffer): boolean {
  return fieldsOf(value).some((field) => field.number === 5 && typeof field.value === 'number' && field.value !== 0);
}

type Attributes = { functions: string[]; constantBytes: number };

/** The limit of TensorFlow's reader. */
const MAX_DEPTH = 100;

/** A value may be a function, whose attributes are values too, a list of values, or a tensor. */
function readAttribute(value: Buffer, found: Attributes, depth: number): void {
  if (depth > MAX_DEPTH) throw new ProtobufError(`expected at most ${MAX_DEPTH} nested attributes`);
  for (const field of fieldsOf(value)) {
    if (typeof field.value === 'number') continue;
    if (field.number === 10) readFunctionName(field.value, found, depth);
    else if (field.number === 8) found.constantBytes += declaredBytes(field.value);
    else if (field.number === 1) readList(field.value, found, depth);
  }
}

function readList(list: Buffer, found: Attributes, depth: number): void {
  for (const name of bytesOf(list, 9)) readFunctionName(name, found, depth);
  for (const tensor of bytesOf(list, 8)) found.constantBytes += declaredBytes(tensor);
}

function readFunctionName(named: Buffer, found: Attributes, depth: number): void {
  found.functions.push(...textsOf(named, 1));
  const values = bytesOf(named, 2).flatMap((entry) => bytesOf(entry, 2));
  for (const value of values) readAttribute(value, found, depth + 1);
}

/** DT_UINT8, DT_INT8, DT_BOOL, DT_QINT8 and DT_QUINT8; DT_INT16, DT_HALF and the like; others take 4 to 16. */
const BYTES_OF_TYPE: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [3, 4],
  [4, 1],
  [5, 2],
  [6, 1],
  [10, 1],
  [11, 1],
  [12, 1],
  [13, 4],
  [14, 2],
  [17, 2],
  [19, 2],
]);
const BYTES_OF_OTHERS = 8;

/** A constant of a billion equal numbers takes few bytes in a file. */
function declaredBytes(tensor: Buffer): number {
  let bytes = BYTES_OF_OTHERS;
  let elements = 1;
  for (const { number, value } of fieldsOf(tensor)) {
    if (number === 1 && typeof value === 'number') bytes = BYTES_OF_TYPE.get(value) ?? BYTES_OF_OTHERS;
    if (number !== 2 || typeof value === 'number') continue;
    for (const dimension of bytesOf(value, 2)) elements *= sizeOf(dimension);
  }
  return elements * bytes;
}

function sizeOf(dimension: Buffer): number {
  let size = 0;
  for (const { number, value } of fieldsOf(dimension)) if (number === 1 && typeof value === 'number') size = value;
  return size;
}
