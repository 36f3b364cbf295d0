/**
 * Milliseconds of CPU that this process, with all its threads, spent on some work. Unlike time on the clock it does not grow while
 * other processes keep the machine busy.
 */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
