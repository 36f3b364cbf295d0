import { afterAll } from '@jest/globals';

/** What this test file has started: Jest loads this module once per test file. */
let shared: AsyncDisposableStack | undefined;

/**
 * Starts what all tests of a file use, and disposes of it after the last test, in reverse order.
 * For the top of a file: `const [aws, images] = await sharedByTests(startTestAws(), startImageServer());`.
 * If one of them cannot start, the file fails and the others are disposed of.
 */
export async function sharedByTests<const Resources extends readonly AsyncDisposable[]>(
  ...starting: { [Index in keyof Resources]: Promise<Resources[Index]> }
): Promise<Resources> {
  shared ??= disposedAfterTests();
  for (const start of await Promise.allSettled<AsyncDisposable>(starting)) {
    if (start.status === 'fulfilled') shared.use(start.value);
  }
  try {
    return (await Promise.all(starting)) as unknown as Resources;
  } catch (error) {
    await shared.disposeAsync();
    throw error;
  }
}

function disposedAfterTests(): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  afterAll(() => stack.disposeAsync());
  return stack;
}
