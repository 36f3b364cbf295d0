/**
 * Ignores signals in a process whose parent decides when it ends. Ctrl-C, systemd and some containers signal all processes at the
 * same time: a child that obeyed would end in the middle of work that its parent is draining, and its image would count as a
 * crash. When the parent exits, the IPC channel closes, which ends the process.
 */
export function leaveSignalsToParent(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}
