/**
 * The action of a command, whose module is loaded only when it runs: `--help`, completion and mistakes on the command line
 * load what declares the commands and nothing else.
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
