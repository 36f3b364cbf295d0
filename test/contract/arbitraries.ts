import fc from 'fast-check';
import { MAX_ATTEMPTS, MAX_HOPS } from '../../shared/contract/limits.ts';
import type { ImageRef, QueueMessage } from '../../shared/contract/message.ts';

/**
 * Keys that Node itself reads wrong: `__proto__` is left out, and after `JSON.parse('{"a\\\\":1}')` V8 13.6 reads the
 * key of `{"a\\n":1}` as that one.
 */
export const isReadWrong = (key: string) => key === '__proto__' || key.endsWith('\\');

/** JSON as it comes back from being written and read: no -0, and no key that is read wrong. */
const json = fc
  .jsonValue({ maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value), (key, inner) => (isReadWrong(key) ? undefined : inner)));

/** Any text that JSON can carry, half surrogates and characters that SQS refuses included. */
const text = (maxLength: number) =>
  fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength }),
    fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\u0000', '\uFFFE', '\uFFFF', '\uD800', '猫'),
      minLength: 1,
      maxLength,
    }),
  );

const key = text(10).filter((one) => !isReadWrong(one));

export const imageRef: fc.Arbitrary<ImageRef> = fc
  .record({ id: text(40), url: text(60), meta: fc.option(fc.dictionary(key, json), { nil: undefined }) })
  .map(({ id, url, meta }) =>
    meta === undefined ? { id, url } : { id, url, meta: meta as NonNullable<ImageRef['meta']> },
  );

export const jobName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
export const run = fc.stringMatching(/^[0-9a-f]{16}$/);
export const attempt = fc.integer({ min: 1, max: MAX_ATTEMPTS });

/** Images with an id each. */
export function images(maxLength: number, minLength = 0): fc.Arbitrary<ImageRef[]> {
  return fc.uniqueArray(imageRef, { selector: ({ id }) => id, minLength, maxLength });
}

export const queueMessage: fc.Arbitrary<QueueMessage> = fc.record(
  { job: jobName, run, attempt, hops: fc.integer({ min: 0, max: MAX_HOPS }), images: images(20, 1) },
  { requiredKeys: ['job', 'attempt', 'images'] },
);
