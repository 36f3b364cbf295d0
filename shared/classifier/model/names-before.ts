/**
 * The nodes of a graph that a tensor depends on, its own node included, each once.
 *
 * @param tensor e.g. `Mean:0`
 * @param inputsOf the inputs of a node by its name; undefined for an unknown node
 */
export function namesBefore(tensor: string, inputsOf: (name: string) => readonly string[] | undefined): string[] {
  const found = new Set<string>();
  const next = [nodeOf(tensor)];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (found.has(name)) continue;
    const inputs = inputsOf(name);
    if (inputs === undefined) continue;
    found.add(name);
    for (const input of inputs) next.push(nodeOf(input));
  }
  return [...found];
}

/** The node of an input: `name`, `name:port` or `^name`. */
function nodeOf(input: string): string {
  return input.replace(/^\^/, '').replace(/:\d+$/, '');
}
