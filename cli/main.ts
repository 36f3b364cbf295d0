import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { benchCommand } from './bench.ts';
import { cancelCommand } from './cancel.ts';
import { classifyCommand } from './classify.ts';
import { completionCommand } from './completion.ts';
import { demoCommand } from './demo.ts';
import { enqueueCommand, needsNoService } from './enqueue.ts';
import { EXIT } from './exit-codes.ts';
import { failureText } from './expected-failures.ts';
import { failuresCommand } from './failures.ts';
import { cleanUpNow, endInterrupted, forgetInterruption, isInterrupted } from './interruption.ts';
import { localCommand } from './local.ts';
import { useLocalService } from './local-environment.ts';
import { modelCommand } from './model.ts';
import { stackOption } from './options.ts';
import { purgeCommand } from './purge.ts';
import { redriveCommand } from './redrive.ts';
import { reportCommand } from './report.ts';
import { resultsCommand } from './results.ts';
import { statusCommand } from './status.ts';
import { print, printNote } from './terminal.ts';
import { usageErrorPrinter } from './usage-error.ts';
import { waitCommand } from './wait.ts';

const program = new Command('labelqueue')
  .description('Asynchronous batch image classification on SQS: image URLs in, labels as JSON lines out.')
  .version(packageJson.version)
  .helpCommand(false)
  .addOption(stackOption())
  .hook('preAction', async (_program, command) => {
    const { stack } = command.optsWithGlobals<{ stack?: string }>();
    if (stack === undefined) {
      if (JOB_COMMANDS.includes(command) && !needsNoService(command)) useLocalService(process.env);
      return;
    }
    // Only now: every start of the command would pay for CloudFormation's client.
    const { stackEnvironment } = await import('./stack-environment.ts');
    Object.assign(process.env, await stackEnvironment(stack));
  })
  .addHelpText('after', '\nExit codes: 0 done, 1 error, 2 wrong usage, 3 finished with failures.');

/** Those that work on the queues and the bucket of a service that runs. */
const JOB_COMMANDS = [
  enqueueCommand(),
  statusCommand(),
  waitCommand(),
  cancelCommand(),
  resultsCommand(),
  failuresCommand(),
  reportCommand(),
  redriveCommand(),
  purgeCommand(),
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
  if (isInterrupted()) endInterrupted();
  else process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  printFailure(error);
  return EXIT.error;
}

function printFailure(error: unknown): void {
  printNote(`labelqueue: ${failureText(error)}\n`);
}
