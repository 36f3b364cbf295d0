import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { benchCommand } from './commands/bench.ts';
import { cancelCommand } from './commands/cancel.ts';
import { classifyCommand } from './commands/classify.ts';
import { completionCommand } from './commands/completion.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { demoCommand } from './commands/demo.ts';
import { enqueueCommand, needsNoService } from './commands/enqueue.ts';
import { failuresCommand } from './commands/failures.ts';
import { localCommand } from './commands/local.ts';
import { modelCommand } from './commands/model.ts';
import { purgeCommand } from './commands/purge.ts';
import { redriveCommand } from './commands/redrive.ts';
import { relabelCommand } from './commands/relabel.ts';
import { reportCommand } from './commands/report.ts';
import { resultsCommand } from './commands/results.ts';
import { similarCommand } from './commands/similar.ts';
import { statusCommand } from './commands/status.ts';
import { waitCommand } from './commands/wait.ts';
import { workCommand } from './commands/work.ts';
import { stackOption } from './options.ts';
import { EXIT } from './terminal/exit-codes.ts';
import { cleanUpNow, exitInterrupted, forgetInterruption, isInterrupted } from './terminal/interruption.ts';
import { print, printNote } from './terminal/terminal.ts';
import { usageErrorPrinter } from './terminal/usage-error.ts';
import { failureText } from './terminal/user-errors.ts';

const program = new Command('labelqueue')
  .description('Asynchronous batch image classification on SQS: image URLs in, labels as JSON lines out.')
  .version(packageJson.version)
  .helpCommand(false)
  .addOption(stackOption())
  .hook('preAction', async (_program, command) => {
    const { stack } = command.optsWithGlobals<{ stack?: string }>();
    if (stack === undefined) {
      if (!JOB_COMMANDS.includes(command) || needsNoService(command)) return;
      const { useLocalService } = await import('./local-environment.ts');
      useLocalService(process.env);
      return;
    }
    // Imported here, so that other commands do not load CloudFormation's client.
    const { stackEnvironment } = await import('./stack-environment.ts');
    Object.assign(process.env, await stackEnvironment(stack));
  })
  .addHelpText('after', '\nExit codes: 0 success, 1 error, 2 usage error, 3 finished with failures.');

/** Commands that work on the queues and the bucket of a running service. */
const JOB_COMMANDS = [
  enqueueCommand(),
  statusCommand(),
  waitCommand(),
  cancelCommand(),
  resultsCommand(),
  failuresCommand(),
  relabelCommand(),
  similarCommand(),
  reportCommand(),
  redriveCommand(),
  purgeCommand(),
  dashboardCommand(),
  workCommand(),
  benchCommand(),
];
for (const command of JOB_COMMANDS) command.addOption(stackOption());
const OTHERS = [classifyCommand(), modelCommand(), completionCommand(program)];
for (const command of [demoCommand(), localCommand(), ...JOB_COMMANDS, ...OTHERS]) {
  program.addCommand(command.copyInheritedSettings(program));
}
for (const command of [program, ...program.commands.flatMap((command) => [command, ...command.commands])]) {
  command.configureOutput({ writeOut: print, writeErr: printNote, outputError: usageErrorPrinter(command) });
  command.exitOverride().allowExcessArguments(false);
}

process.on('uncaughtException', (error) => {
  printFailure(error);
  cleanUpNow();
  process.exit(EXIT.error);
});

try {
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = EXIT.usage;
  } else {
    await program.parseAsync();
  }
  forgetInterruption();
} catch (error) {
  if (isInterrupted()) exitInterrupted();
  else process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message already; help and version are not errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  printFailure(error);
  return EXIT.error;
}

function printFailure(error: unknown): void {
  printNote(`labelqueue: ${failureText(error)}\n`);
}
