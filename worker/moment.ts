/** A moment on two clocks: the monotonic clock stops while a machine sleeps, the wall clock may be set. */
export type Moment = { monotonic: number; wall: number };

/** The current moment on both clocks. */
export function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** Milliseconds since a moment, by the clock that advanced further: an expired lease must not seem valid. */
export function msSince({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}
