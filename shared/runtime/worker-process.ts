/**
 * Variables that a worker process must have when it starts; they cannot be set afterwards. The
 * figures are in `docs/decisions/memory-of-a-worker.md`.
 */
export const WORKER_PROCESS_ENVIRONMENT = {
  /**
   * Name look-ups and decodes share these threads: with libuv's default of 4, a few name servers that
   * do not respond would delay all images.
   */
  UV_THREADPOOL_SIZE: '16',
  /** glibc would give each of those threads its own heap, and never release them. */
  MALLOC_ARENA_MAX: '2',
  /** V8 would grow the young generation to 48 MB over hours; few short-lived objects exist here. */
  NODE_OPTIONS: '--max-semi-space-size=2',
} as const;

/** The path of the unpacked tfjs-node binding of a packaged worker; isolated classifiers inherit it. */
export const TFJS_BINDING_VARIABLE = 'LABELQUEUE_TFJS_BINDING';
