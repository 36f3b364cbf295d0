import type { Command } from 'commander';
import { bashScript } from './completion/bash.ts';
import { completedCommands } from './completion/command-line.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';
import { print } from './terminal.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
/** Those that have a completion script. */
export type Shell = keyof typeof SCRIPTS;

/** Prints the script of a shell that completes the commands and options of a program. */
export async function printCompletion(shell: Shell, program: Command): Promise<void> {
  print(SCRIPTS[shell](completedCommands(program)));
}
