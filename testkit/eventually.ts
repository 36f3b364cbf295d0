import { setTimeout as delay } from 'node:timers/promises';

/** Resolves as soon as the condition holds; rejects, saying what was waited for, when it never does. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`expected within ${withinMs} ms: ${what}`);
    await delay(10);
  }
}
