/** Does the work `times` times, at most `concurrency` of them at once. Each gets its number, from 0. */
export async function withConcurrency(
  times: number,
  concurrency: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < times) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
