// @ts-check
// `npm run synth --stage prod` gives the option to npm: the script is run without it, and with `prod` as a stray word or
// not at all. That would be another stage than the one meant, or another seed.

import { SetupError } from './setup-error.mjs';

/**
 * Options of the scripts in package.json, those of the CDK included; a test compares them with the scripts. Without those
 * that npm has as well (`--json`, `--yes`, `--all`, `--only`): they may be in somebody's settings of npm, and choose
 * nothing here.
 */
export const SCRIPT_OPTIONS = [
  // npm run synth, diff, deploy, destroy, bootstrap
  ...['stage', 'context', 'exclusively', 'hotswap', 'method', 'no-rollback', 'outputs-file', 'parameters'],
  ...['profile', 'region', 'require-approval', 'role-arn', 'rollback', 'toolkit-stack-name', 'trust'],
  // npm start
  ...['model', 'state-dir', 'trust-model'],
  // npm run bench…, soak
  ...['check', 'core', 'images', 'no-peers', 'peers', 'plot', 'repetitions', 'requests', 'rounds', 'runs'],
  ...['avx2', 'no-avx2', 'labels', 'latency', 'most', 'processes', 'results', 'ten-million'],
  // npm run package
  'node',
  // npm run chaos, attack
  ...['behaviour', 'descriptors', 'healthy', 'hosts', 'kills', 'log-file', 'max-rss', 'max-slowdown', 'minutes'],
  ...['queue', 'seed', 'work', 'workers'],
];

/**
 * npm passes on what it has read in variables: `--stage x` as `npm_config_stage=true`, `--stage=x` with its value.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @throws {SetupError} when npm has an option that was meant for one of our scripts
 */
export function checkScriptOptions(environment) {
  const { npm_lifecycle_event: script, npm_package_name: project } = environment;
  if (script === undefined || project !== 'labelqueue') return;
  const taken = SCRIPT_OPTIONS.filter((option) => isTaken(option, environment));
  if (taken.length === 0) return;
  const command = script === 'start' || script === 'test' ? `npm ${script}` : `npm run ${script}`;
  const options = taken.map((option) => `--${option}`).join(', ');
  throw new SetupError(
    `npm has taken ${options} for itself, so the script was not started. Options stand behind --, for example:\n\n` +
      `  ${command} -- --${taken[0]} …`,
  );
}

/**
 * `--no-peers` is `npm_config_peers=` to npm.
 *
 * @param {string} option
 * @param {NodeJS.ProcessEnv} environment
 */
function isTaken(option, environment) {
  return environment[`npm_config_${option.replaceAll('-', '_')}`] !== undefined;
}
