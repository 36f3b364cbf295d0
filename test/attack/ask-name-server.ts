/** Preloaded into a worker (`--import`): it asks the name server of the attack, and no other. */
import { setServers } from 'node:dns';
import { NAME_SERVER_VARIABLE } from './name-server-variable.ts';

setServers([process.env[NAME_SERVER_VARIABLE] ?? '']);
