import { Argument, Command } from 'commander';
import { bashScript } from './completion/bash.ts';
import { completedCommands } from './completion/command-line.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';
import { print } from './terminal.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof SCRIPTS;

/** @param program whose commands and options are completed, once all of them are declared */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('Prints a script that completes commands, options and files in a shell.')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
For this terminal, or in the file that the shell reads at its start:
  bash  source <(labelqueue completion bash)
  zsh   source <(labelqueue completion zsh)
  fish  labelqueue completion fish | source`,
    )
    .action((shell: Shell) => print(SCRIPTS[shell](completedCommands(program))));
}
