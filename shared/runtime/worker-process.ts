/**
 * Variables that a worker's process must have when it starts; nothing can set them afterwards. The
 * figures are in `docs/decisions/memory-of-a-worker.md`.
 */
export const WORKER_PROCESS_ENVIRONMENT = {
  /**
   * Name look-ups and decodes share these threads: with libuv's default of 4, a few name servers that
   * do not answer hold up everybody's images.
   */
  UV_THREADPOOL_SIZE: '16',
  /** glibc would give each of those threads a heap of its own, and never empty them. */
  MALLOC_ARENA_MAX: '2',
  /** V8 would let the space for young objects grow to 48 MB over hours; what lives that short here is small. */
  NODE_OPTIONS: '--max-semi-space-size=2',
} as const;

/** Where the packaged worker has unpacked tfjs-node's binding; isolated classifiers inherit it. */
export const TFJS_BINDING_VARIABLE = 'LABELQUEUE_TFJS_BINDING';
