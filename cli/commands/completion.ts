import { Argument, Command } from 'commander';
import type { Shell } from '../completion/completion.ts';
import { whenRun } from './when-run.ts';

const SHELLS: Shell[] = ['bash', 'zsh', 'fish'];

/** @param program whose commands and options are completed, once all of them are declared */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('Print a script that completes commands, options and files in a shell.')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .addHelpText(
      'after',
      `
Run in this terminal, or add to the startup file of the shell:
  bash  source <(labelqueue completion bash)
  zsh   source <(labelqueue completion zsh)
  fish  labelqueue completion fish | source`,
    )
    .action(
      whenRun(async () => {
        const { printCompletion } = await import('../completion/completion.ts');
        return (shell: Shell) => printCompletion(shell, program);
      }),
    );
}
