// @ts-check
// What a tool printed before it failed, turned into what the user needs to know.

import { SetupError } from './setup-error.mjs';

const LAST_LINES = 8;

/** In this order: a full disk makes npm and pip complain of other things as well. */
const CAUSES = [diskFull, wrongHash, lockOutOfStep, noNetwork];

/**
 * @param {object} report
 * @param {string} report.failure  such as `npm could not fetch Node`
 * @param {string} report.output
 * @param {string} report.log  where the output is, as shown to the user
 * @returns {SetupError}
 */
export function toolFailure({ failure, output, log }) {
  return new SetupError(`${failure}: ${failureReason(output)}\n\nAll it printed is in ${log}`);
}

/**
 * @param {string} output
 * @returns {string} what the user can do about it, or else the last of it
 */
export function failureReason(output) {
  let cause;
  for (const find of CAUSES) cause ??= find(output);
  return cause ?? lastLines(output);
}

/** @param {string} output */
function diskFull(output) {
  const line = lastLineWith(/ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i, output);
  return line && `the disk is full.\n\n  ${line}\n\nFree some space and run the command again.`;
}

/** @param {string} output */
function wrongHash(output) {
  const byNpm = /wanted (sha\d+-[\w+/=]+) but got (sha\d+-[\w+/=]+)/;
  const byPip = /Expected sha256\s+([0-9a-f]{64})\s+Got\s+([0-9a-f]{64})/;
  const [, expected, found] = byNpm.exec(output) ?? byPip.exec(output) ?? [];
  return (
    found &&
    `what came is not what is pinned, and was thrown away.\n\n  expected  ${expected}\n  found     ${found}\n\n` +
      'A proxy, a mirror or a damaged cache may have changed it.'
  );
}

/** @param {string} output */
function lockOutOfStep(output) {
  const line = lastLineWith(/package\.json and package-lock\.json .*in sync/, output);
  return line && `${line}\n\nAfter a change of package.json run "npm install --package-lock-only --ignore-scripts".`;
}

/** @param {string} output */
function noNetwork(output) {
  const byNpm = /\b(?:ENOTFOUND|EAI_AGAIN|ECONN[A-Z]+|E[A-Z]*TIMEDOUT|ERR_SOCKET_TIMEOUT|E(?:NET|HOST)UNREACH)\b/;
  const byPip =
    /(?:Failed to establish a new connection|Cannot connect to proxy|Read timed out|Connection (?:refused|reset|broken|aborted))[^'"]*/;
  const reason = lastLineWith(byNpm, output) ?? byPip.exec(output)?.[0];
  return (
    reason &&
    `no connection.\n\n  ${reason}\n\nCheck the network (behind a proxy: HTTPS_PROXY) and run the command again.`
  );
}

/**
 * The last one is the fullest: npm begins with the bare code.
 *
 * @param {RegExp} pattern
 * @param {string} output
 */
function lastLineWith(pattern, output) {
  const lines = output.split('\n').filter((line) => pattern.test(line));
  return lines.at(-1)?.trim();
}

/** @param {string} output */
function lastLines(output) {
  const lines = output.trimEnd().split('\n').slice(-LAST_LINES);
  return `it failed.\n\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
