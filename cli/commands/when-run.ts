/**
 * The action of a command, whose module is only loaded when it runs: `--help`, completion and usage errors load the
 * declarations of commands and nothing else.
 *
 * @param load imports the module and returns what the command does
 */
export function whenRun<Args extends unknown[]>(
  load: () => Promise<(...args: Args) => Promise<void>>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const run = await load();
    await run(...args);
  };
}
