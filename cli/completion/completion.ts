import type { Command } from 'commander';
import { print } from '../terminal/terminal.ts';
import { bashScript } from './bash.ts';
import { completedCommands } from './command-line.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
/** Those that have a completion script. */
export type Shell = keyof typeof SCRIPTS;

/** Prints the script of a shell that completes the commands and options of a program. */
export async function printCompletion(shell: Shell, program: Command): Promise<void> {
  print(SCRIPTS[shell](completedCommands(program)));
}
