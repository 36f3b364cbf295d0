/**
 * `npm run synth|diff|deploy|destroy [-- --stage NAME] [options of cdk]`: checks the stage's
 * configuration, makes the worker's package, and hands over to the CDK's own command.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Command } from 'commander';
import { visibleText } from '../shared/contract/visible-text.ts';
import { stackNameOf } from './stage-app.ts';
import { readStageConfig, StageConfigError } from './stage-config.ts';

const ROOT = join(import.meta.dirname, '..');
const CDK = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');

const COMMANDS = new Set(['synth', 'diff', 'deploy', 'destroy', 'bootstrap']);

/** These look at the stack's name and place alone, and must work where no package can be made. */
const WITHOUT_PACKAGE = new Set(['destroy', 'bootstrap']);

const program = new Command('cdk')
  .description('Runs a command of the AWS CDK on the stack of a stage.')
  .argument('<command>', 'synth, diff, deploy, destroy or bootstrap')
  .argument('[options...]', 'passed on to cdk')
  .option('--stage <name>', 'the stage: infra/stages/<name>.json', 'dev')
  .allowUnknownOption()
  .configureOutput({ writeErr: (text) => process.stderr.write(visibleText(text)) })
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StageConfigError)) throw error;
  process.stderr.write(visibleText(`labelqueue: ${error.message}\n`));
  process.exitCode = 1;
}

async function run(command: string, options: string[], { stage }: { stage: string }): Promise<void> {
  checkOptions(command, options);
  // Before minutes of packaging, and with a message that the CDK would bury in a stack trace.
  const { architecture, fleet } = readStageConfig(stage);
  if (!WITHOUT_PACKAGE.has(command)) {
    const packaging = ['--architecture', architecture, ...(fleet === undefined ? [] : ['--node'])];
    const packaged = await node([join(import.meta.dirname, 'package/main.ts'), ...packaging]);
    if (packaged !== 0) {
      process.exitCode = packaged;
      return;
    }
  }
  const app = `"${process.execPath}" infra/app.ts`;
  // A bootstrap is of an account and a region, which it finds in the app.
  const target = command === 'bootstrap' ? [] : [stackNameOf(stage)];
  process.exitCode = await node([CDK, command, ...target, '--app', app, '--output', 'dist/cdk.out', ...options], {
    LABELQUEUE_STAGE: stage,
  });
}

/**
 * The stack is named by the stage, so the CDK needs no word but options and their values. What stands alone is a mistake, as
 * `prod` in `npm run deploy --stage prod`, of which npm keeps the option.
 */
function checkOptions(command: string, options: readonly string[]): void {
  if (!COMMANDS.has(command)) program.error(`error: expected ${[...COMMANDS].join(', ')}, got '${command}'`);
  const [first] = options;
  if (first === undefined || first.startsWith('-')) return;
  program.error(`error: expected options, got '${first}'; for a stage: npm run ${command} -- --stage ${first}`);
}

/** Runs Node on this terminal. @returns its exit code */
async function node(args: readonly string[], environment: Record<string, string> = {}): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...environment } });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
