/**
 * For a process whose parent decides when it ends. Ctrl-C, systemd and some containers signal all processes at once: one that
 * obeyed would end in the middle of the work that its parent is about to finish, and an image that it has alone would be taken
 * for deadly. When the parent is gone, so is the connection to it, and that ends the process.
 */
export function leaveSignalsToParent(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}
