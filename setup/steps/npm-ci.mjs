// @ts-check

import { npmEnvironment } from '../environment.mjs';

/** @typedef {import('../step.mjs').Workshop} Workshop */

/**
 * Installs what the package-lock.json of a folder says, with the hashes checked. Neither a variable
 * such as NODE_ENV nor the user's configuration changes what comes out.
 *
 * @param {Workshop} workshop
 * @param {object} options
 * @param {string} options.name  of the log file
 * @param {string} options.failure
 * @param {string} options.folder
 * @param {string} options.node  the Node that npm is to run on
 * @param {string[]} [options.more]  arguments
 */
export async function npmCi(workshop, { name, failure, folder, node, more = [] }) {
  const command = [
    'npm',
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--no-update-notifier',
    // On a full disk npm swallows its errors, when it cannot write a log of its own.
    '--logs-max=0',
    // As many tries as npm makes by default, within seconds: without a network it would wait 70 s.
    '--fetch-retries=3',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-factor=3',
    ...more,
  ];
  await workshop.run(command, { name, failure, cwd: folder, env: npmEnvironment(node) });
}
