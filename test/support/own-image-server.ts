/** Run by `startOwnProcess`: the rude image server, so that what it sends costs the test's process nothing. */
import { startImageServer } from './image-server.ts';
import { reportReady } from './own-process.ts';

export type OwnImageServer = { host: string };

const { host } = await startImageServer();
reportReady({ host } satisfies OwnImageServer);
