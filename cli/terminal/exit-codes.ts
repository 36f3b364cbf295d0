/** What the command's exit code says; documented in docs/commands.md. */
export const EXIT = { done: 0, error: 1, usage: 2, finishedWithFailures: 3 } as const;
