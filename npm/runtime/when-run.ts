import type { Command } from 'commander';
import { needsProject } from './needs-project.ts';

/**
 * Replaces `cli/commands/when-run.ts`: a command that needs TensorFlow runs from the project in the user's cache folder, every
 * other one in this process.
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
