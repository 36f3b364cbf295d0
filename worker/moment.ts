/** A moment on two clocks: the monotonic one stands still while a machine sleeps, the other may be set. */
export type Moment = { monotonic: number; wall: number };

/** The current moment on both clocks. */
export function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** Milliseconds, by the clock that went further: a lease must not seem to be valid when it is not. */
export function msSince({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}
