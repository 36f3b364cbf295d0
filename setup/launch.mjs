// @ts-check
// Read by whatever Node is on PATH. An old one has to get as far as the message, so there is nothing
// here that Node 12 does not understand, and nothing is imported before the check.

const LEAST_MAJOR = 20;

/**
 * Makes the set-up complete, runs Node 24 with the arguments, and lets this process end as that did.
 *
 * @param {string[]} nodeArguments
 */
export function launch(nodeArguments) {
  if (Number(process.versions.node.split('.')[0]) < LEAST_MAJOR) {
    process.stderr.write(
      `labelqueue set-up: Node ${LEAST_MAJOR} or newer is needed, this is ${process.version} (${process.execPath}).\n\n` +
        'Install Node 24, by whatever means you like, and run the command again.\n',
    );
    process.exitCode = 1;
    return;
  }
  import('./start.mjs')
    .then(({ start }) => start(nodeArguments))
    .then((exitCode) => {
      process.exitCode = exitCode;
    });
}
