import { CHECKPOINT_OPERATIONS, COMPUTING_OPERATIONS } from './computing-operations.ts';
import type { GraphFunction, GraphNode, ModelGraph } from './saved-model-graph.ts';

/** An operation that an untrusted model must not have. */
export type RefusedOperation = { operation: string; node: string; function?: string };

/** An operation of a graph, with the fields that matter here. */
type Operation = Pick<GraphNode, 'name' | 'operation'>;

/** The operations that do anything other than compute, in a graph without saving and restoring. */
export function refusedOperations(nodes: Iterable<Operation>, functionNames: ReadonlySet<string>): RefusedOperation[] {
  const refused: RefusedOperation[] = [];
  for (const { name, operation } of nodes) {
    if (COMPUTING_OPERATIONS.has(operation) || isCall(operation, functionNames)) continue;
    refused.push({ operation, node: name });
  }
  return refused;
}

/** The names of TensorFlow operations: a function with such a name would be ambiguous. */
const LIKE_AN_OPERATION = /^_{0,2}[A-Z][A-Za-z0-9]*$/;

function isCall(operation: string, functionNames: ReadonlySet<string>): boolean {
  return functionNames.has(operation) && !LIKE_AN_OPERATION.test(operation);
}

/**
 * The operations of a SavedModel's graph that do anything other than compute. The whole graph and its functions are checked, since
 * TensorFlow evaluates parts of it on loading. Operations that save and restore checkpoints are allowed (every Keras model has
 * them) as long as nothing that is run here reaches them, except for restoring the model's own variables.
 */
export function refusedInGraph(graph: ModelGraph): RefusedOperation[] {
  const names = new Set(graph.functions.map(({ name }) => name));
  const everywhere = [
    ...inScope(graph.nodes, names, undefined),
    ...graph.functions.flatMap(({ name, nodes }) => inScope(nodes, names, name)),
  ];
  return [...everywhere, ...new Runs(graph).refused()];
}

function inScope(
  nodes: readonly GraphNode[],
  functionNames: ReadonlySet<string>,
  functionName: string | undefined,
): RefusedOperation[] {
  const withoutCheckpoints = nodes.filter(({ operation }) => !CHECKPOINT_OPERATIONS.has(operation));
  const unknown = nodes.flatMap(({ name, functions }) =>
    // A function that is not in the model may be a TensorFlow operation.
    functions
      .filter((called) => called !== '' && !functionNames.has(called))
      .map((called) => ({ name, operation: called })),
  );
  return [...refusedOperations(withoutCheckpoints, functionNames), ...refusedOperations(unknown, new Set())].map(
    (refused) => ({ ...refused, ...(functionName !== undefined && { function: functionName }) }),
  );
}

/** Calls that pass their inputs to the function one by one. */
const PLAIN_CALLS: ReadonlySet<string> = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

/** Follows the operations that are run when a model is loaded and used, to those that read and write checkpoints. */
class Runs {
  readonly #graph: ModelGraph;
  readonly #functions: ReadonlyMap<string, GraphFunction[]>;
  /** Functions with the arguments that are the path of the variables; each pair is followed once. */
  readonly #followed = new Set<string>();
  /** A work list, not recursion: models are untrusted, and may nest calls arbitrarily. */
  readonly #waiting: { name: string; pathArguments: ReadonlySet<number> }[] = [];
  readonly #refused: RefusedOperation[] = [];

  constructor(graph: ModelGraph) {
    this.#graph = graph;
    this.#functions = Map.groupBy(graph.functions, ({ name }) => name);
  }

  refused(): RefusedOperation[] {
    const { nodes, functions, entries, restoreEntries, variablePaths } = this.#graph;
    this.#follow(reachable(nodes, entries), new Set(), undefined);
    for (const { name, interchangeable } of functions) if (interchangeable) this.#followFunction(name, new Set());
    // With several savers, it is unknown which one is used.
    const paths = new Set(new Set(variablePaths).size === 1 ? variablePaths.map(nodeOf) : []);
    this.#follow(reachable(nodes, restoreEntries), paths, undefined);
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      for (const { nodes, arguments: names } of this.#functions.get(next.name) ?? []) {
        this.#follow(nodes, new Set([...next.pathArguments].flatMap((index) => names[index] ?? [])), next.name);
      }
    }
    return this.#refused;
  }

  /** @param paths the names within this scope that are the path of the model's variables */
  #follow(nodes: readonly GraphNode[], paths: ReadonlySet<string>, functionName: string | undefined): void {
    for (const node of nodes) {
      const { operation, inputs, name } = node;
      if (
        CHECKPOINT_OPERATIONS.has(operation) &&
        !(operation === 'RestoreV2' && isPath(inputs[0], paths, functionName))
      ) {
        this.#refused.push({ operation, node: name, ...(functionName !== undefined && { function: functionName }) });
      }
      this.#followCalls(node, paths, functionName);
    }
  }

  #followCalls(
    { operation, inputs, functions }: GraphNode,
    paths: ReadonlySet<string>,
    functionName: string | undefined,
  ): void {
    const handedOn = new Set(inputs.flatMap((input, index) => (isPath(input, paths, functionName) ? [index] : [])));
    for (const called of functions) this.#followFunction(called, PLAIN_CALLS.has(operation) ? handedOn : new Set());
    if (this.#functions.has(operation)) this.#followFunction(operation, handedOn);
  }

  #followFunction(name: string, pathArguments: ReadonlySet<number>): void {
    const key = JSON.stringify([name, ...pathArguments]);
    if (this.#followed.has(key)) return;
    this.#followed.add(key);
    this.#waiting.push({ name, pathArguments });
  }
}

/** In a function, arguments have plain names; in the graph, outputs may have a number. */
function isPath(input: string | undefined, paths: ReadonlySet<string>, functionName: string | undefined): boolean {
  if (input === undefined) return false;
  return paths.has(functionName === undefined ? input.replace(/:0$/, '') : input);
}

/** The nodes that are run for some requested ones: those and all they depend on. */
function reachable(nodes: readonly GraphNode[], entries: readonly string[]): GraphNode[] {
  const byName = Map.groupBy(nodes, ({ name }) => name);
  const seen = new Set<string>();
  const found: GraphNode[] = [];
  const waiting = entries.map(nodeOf);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const node of byName.get(name) ?? []) {
      found.push(node);
      for (const input of node.inputs) waiting.push(nodeOf(input));
    }
  }
  return found;
}

/** @example nodeOf('^scores:1') // 'scores' */
function nodeOf(input: string): string {
  return input.replace(/^\^/, '').replace(/:\d+$/, '');
}
