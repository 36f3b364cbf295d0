/** Run by `startImageServerProcess`: the misbehaving image server. */
import { reportReady } from '../../testkit/child-module.ts';
import { startImageServer } from '../../testkit/image-server.ts';
import type { ImageServerReport } from './image-server-process.ts';

const { host } = await startImageServer();
reportReady({ host } satisfies ImageServerReport);
