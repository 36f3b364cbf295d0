import { expect, test } from '@jest/globals';
import { startTestAws } from '../../testkit/test-aws.ts';
import { startPictureServer } from '../support/picture-server.ts';
import { sharedByTests } from '../support/shared-by-tests.ts';
import { BIN, CTRL_C, startOnTerminal } from '../support/terminal-session.ts';
import { tinyModelFolder } from '../support/tiny-model-folder.ts';

const [aws, pictures, model] = await sharedByTests(startTestAws(), startPictureServer(), tinyModelFolder());

test('shows one line of progress on a terminal, and ends on Ctrl-C', async () => {
  const images = ['a', 'b'].map((id) => ({ id, url: pictures.url(`/${id}`) }));
  await aws.send(JSON.stringify({ v: 1, job: 'job', attempt: 1, images }));
  const session = startOnTerminal([BIN, 'work', '--processes', '1', '--port', '0'], {
    environment: { ...aws.environment, MODEL_DIR: model.path, ALLOWED_HOSTS: pictures.host },
    columns: 120,
  });
  await session.shows(/work started: http:\/\/127\.0\.0\.1:\d+/);
  await session.shows(/2 images classified, 0 failed, \d+ per second; 0 messages in flight; 1 process/);
  session.press(CTRL_C);
  expect(await session.ended).toBe(0);
  expect(session.screen()).not.toContain('"level"');
}, 120_000);
