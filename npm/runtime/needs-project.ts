import type { Command } from 'commander';

/** Commands that run a model, or all of the service: they need TensorFlow, a compiler's work and the model. */
const WITH_TENSORFLOW = new Set(['bench', 'classify', 'demo', 'local', 'model', 'relabel', 'similar', 'work']);

/** Whether a command runs from the project's source, which is set up at the first such command. */
export function needsProject(command: Command): boolean {
  return namesOf(command).some((name) => WITH_TENSORFLOW.has(name)) || command.opts()['sample'] !== undefined;
}

/** The command's name, and those of what it is a part of. */
function namesOf(command: Command): string[] {
  return command.parent === null ? [command.name()] : [command.name(), ...namesOf(command.parent)];
}
