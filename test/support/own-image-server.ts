/** Run by `startOwnProcess`: the rude image server, so that what it sends costs the test's process nothing. */
import { startImageServer } from '../../testkit/image-server.ts';
import { reportReady } from '../../testkit/own-process.ts';

export type OwnImageServer = { host: string };

const { host } = await startImageServer();
reportReady({ host } satisfies OwnImageServer);
