import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Slot, Slots } from '../../shared/classifier/fetch/slots.ts';
import { IMAGES_ASIDE, IMAGES_IN_FLIGHT } from '../../shared/contract/limits.ts';
import { seed } from '../contract/seed.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function takeAll(slots: Slots): Slot[] {
  const taken: Slot[] = [];
  while (slots.hasRoom()) taken.push(slots.take());
  return taken;
}

/** Which of them hold memory by now. */
function watch(comingBack: readonly Slot[]): Set<Slot> {
  const back = new Set<Slot>();
  for (const slot of comingBack) void slot.comeBack().then(() => back.add(slot));
  return back;
}

test('an image that yields its slot makes room for another', () => {
  const slots = new Slots();
  const taken = takeAll(slots);
  expect(taken).toHaveLength(IMAGES_IN_FLIGHT);
  expect(taken[0]?.stepAside()).toBe(true);
  expect(slots.hasRoom()).toBe(true);
});

test('at most a bounded number of images has yielded', () => {
  const slots = new Slots();
  for (let round = 0; round * IMAGES_IN_FLIGHT < IMAGES_ASIDE; round++) {
    for (const slot of takeAll(slots)) expect(slot.stepAside()).toBe(true);
  }
  expect(takeAll(slots).some((slot) => slot.stepAside())).toBe(false);
  expect(slots.hasRoom()).toBe(false);
});

test('an image that comes back waits for room, and comes before new ones', async () => {
  const slots = new Slots();
  const [late] = takeAll(slots);
  late?.stepAside();
  const [other] = takeAll(slots);
  const back = watch([late as Slot]);
  await turn();
  expect(back.size).toBe(0);
  other?.release();
  expect(slots.hasRoom()).toBe(false);
  await turn();
  expect(back.size).toBe(1);
});

test('an image that holds memory does not yield any more', async () => {
  const slots = new Slots();
  const slot = slots.take();
  await slot.comeBack();
  expect(slot.stepAside()).toBe(false);
});

test('an image that is cancelled while it waits for a slot leaves none occupied', async () => {
  const slots = new Slots();
  const [late, ...others] = takeAll(slots);
  late?.stepAside();
  const [filler] = takeAll(slots);
  watch([late as Slot]);
  late?.release();
  for (const slot of [...others, filler]) slot?.release();
  await turn();
  expect(slots.isEmpty).toBe(true);
  expect(takeAll(slots)).toHaveLength(IMAGES_IN_FLIGHT);
});

/** Images that do what they are told, and the count of those that hold memory. */
class Crowd {
  readonly slots = new Slots();
  readonly #live: Slot[] = [];
  readonly #aside = new Set<Slot>();
  readonly #coming = new Set<Slot>();

  get holding(): number {
    return this.#live.length - this.#aside.size;
  }

  take(): void {
    if (this.slots.hasRoom()) this.#live.push(this.slots.take());
  }

  aside(number: number): void {
    const slot = this.#any(number);
    if (slot?.stepAside()) this.#aside.add(slot);
  }

  back(number: number): void {
    const slot = this.#any(number);
    if (slot === undefined || this.#coming.has(slot)) return;
    this.#coming.add(slot);
    void slot.comeBack().then(() => this.#aside.delete(slot));
  }

  release(number: number): void {
    const slot = this.#any(number);
    if (slot === undefined) return;
    slot.release();
    this.#aside.delete(slot);
    this.#live.splice(this.#live.indexOf(slot), 1);
  }

  releaseAll(): void {
    while (this.#live.length > 0) this.release(0);
  }

  #any(number: number): Slot | undefined {
    return this.#live[number % this.#live.length];
  }
}

test('whatever images do, at most 40 of them hold memory, and all of them finish', async () => {
  const step = fc.tuple(fc.constantFrom('take', 'take', 'aside', 'back', 'release'), fc.nat());
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 400 }), async (steps) => {
      const crowd = new Crowd();
      for (const [what, number] of steps) {
        crowd[what](number);
        await Promise.resolve();
        expect(crowd.holding).toBeLessThanOrEqual(IMAGES_IN_FLIGHT);
      }
      crowd.releaseAll();
      expect(crowd.slots.isEmpty).toBe(true);
    }),
    { seed, numRuns: 200 },
  );
});
