import type { Command } from 'commander';
import { commandName } from './command-name.ts';

/** For commander: prints a usage error as the error, the usage and how to get help, one line each. */
export function usageErrorPrinter(command: Command): (text: string, write: (text: string) => void) => void {
  return (text, write) => {
    const error = text
      .replace(/^error: /, '')
      .trim()
      .replaceAll(/\s*\n\s*/g, ' ');
    const name = fullName(command).replace(/^labelqueue\b/, () => commandName());
    write(`labelqueue: ${error}\nUsage: ${name} ${command.usage()}\nFor help: ${name} --help\n`);
  };
}

/** E.g. `labelqueue model check`. */
export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
