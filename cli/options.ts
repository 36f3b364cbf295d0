import { InvalidArgumentError, Option } from 'commander';

/** For commander: a whole number from `min` to `max`, or a message that says so. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** `--allow-host`, on every command that fetches. */
export function allowHostOption(): Option {
  return new Option(
    '--allow-host <host:port...>',
    'fetch from these whatever their address is, e.g. 127.0.0.1:8080 (default: public addresses only)',
  );
}
