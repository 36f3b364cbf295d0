import type { Command } from 'commander';
import { needsProject } from './needs-project.ts';

/**
 * In place of `cli/commands/when-run.ts`: the action of a command, which is run here or, where it needs TensorFlow, by the
 * project in the user's cache folder.
 *
 * @param load imports the module and returns what the command does
 */
export function whenRun<Args extends unknown[]>(
  load: () => Promise<(...args: Args) => Promise<void>>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    if (needsProject(args.at(-1) as Command)) {
      const { runInProject } = await import('./run-in-project.ts');
      process.exitCode = await runInProject(process.argv.slice(2));
      return;
    }
    const run = await load();
    await run(...args);
  };
}
