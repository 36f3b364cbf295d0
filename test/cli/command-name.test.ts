import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { commandName } from '../../cli/terminal/command-name.ts';

const PROJECT = '/home/me/labelqueue';
const COMMAND = `${PROJECT}/bin/labelqueue`;

test.each([
  ['labelqueue', { LABELQUEUE_COMMAND: COMMAND, PATH: `/usr/bin:${PROJECT}/bin` }, PROJECT],
  ['bin/labelqueue', { LABELQUEUE_COMMAND: COMMAND, PATH: '/usr/bin' }, PROJECT],
  ['./labelqueue', { LABELQUEUE_COMMAND: COMMAND, PATH: '/usr/bin' }, join(PROJECT, 'bin')],
  [COMMAND, { LABELQUEUE_COMMAND: COMMAND, PATH: '/usr/bin' }, '/home/me/photos'],
  ["'/home/my own/bin/labelqueue'", { LABELQUEUE_COMMAND: '/home/my own/bin/labelqueue' }, '/home/me'],
  ['labelqueue', { PATH: '/usr/bin' }, PROJECT],
  ['npx labelqueue', { LABELQUEUE_STARTED_AS: 'npx labelqueue', LABELQUEUE_COMMAND: COMMAND }, PROJECT],
  ['bin/labelqueue', { LABELQUEUE_STARTED_AS: 'rm -rf /', LABELQUEUE_COMMAND: COMMAND }, PROJECT],
])('hints name the command as %s for %j in %s', (name, environment, folder) => {
  expect(commandName(environment, folder)).toBe(name);
});
