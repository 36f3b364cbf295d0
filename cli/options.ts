import { InvalidArgumentError, Option } from 'commander';
import { STATE } from './project-folder.ts';

/** For commander: a whole number from `min` to `max`, or a message that says so. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** `--allow-host`, on every command that fetches. Not variadic: it would swallow the arguments after it. */
export function allowHostOption(): Option {
  return new Option(
    '--allow-host <host:port>',
    'fetch from it whatever its address is, e.g. 127.0.0.1:8080; may be repeated (default: public addresses only)',
  ).argParser((host, earlier: string[] = []) => [...earlier, host]);
}

/** `--state-dir`, on every command that runs the embedded AWS. */
export function stateDirOption(): Option {
  return new Option('--state-dir <folder>', 'where queues, objects and logs are kept').default(
    STATE,
    '.labelqueue in the project',
  );
}
