/** Prints a line about the progress of a program to standard error, which leaves standard output to its result. */
export function printProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
