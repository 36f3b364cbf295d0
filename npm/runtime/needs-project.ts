import type { Command } from 'commander';

/** Commands that run a model, or the whole service: they need TensorFlow. */
const WITH_TENSORFLOW = new Set(['bench', 'classify', 'demo', 'local', 'model', 'relabel', 'similar', 'work']);

/** Whether a command runs from the project's source, which the first such command sets up. */
export function needsProject(command: Command): boolean {
  return namesOf(command).some((name) => WITH_TENSORFLOW.has(name)) || command.opts()['sample'] !== undefined;
}

/** The names of the command and its parents. */
function namesOf(command: Command): string[] {
  return command.parent === null ? [command.name()] : [command.name(), ...namesOf(command.parent)];
}
