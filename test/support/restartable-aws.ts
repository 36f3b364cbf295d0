import { afterEach, beforeEach } from '@jest/globals';
import { createTemporaryFolder, type TemporaryFolder } from '../../testkit/temporary-folder.ts';
import { startTestAws, type TestAws } from '../../testkit/test-aws.ts';

/** An embedded AWS that can be stopped and started again on the same data folder. Each test has a new one. */
export type RestartableAws = {
  /** The data folder of the test that runs. */
  dataDir(): string;
  /** What the service has reported in the test that runs. */
  notices: string[];
  /** Stops it if it runs, and starts it. */
  restart(): Promise<TestAws>;
  stop(): Promise<void>;
};

/** For the top of a file of tests. It does not run until a test starts it. */
export function restartableAws(): RestartableAws {
  let folder: TemporaryFolder;
  let running: TestAws | undefined;
  const notices: string[] = [];
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  beforeEach(async () => {
    folder = await createTemporaryFolder();
    notices.length = 0;
  });
  afterEach(async () => {
    await stop();
    await folder[Symbol.asyncDispose]();
  });
  return {
    dataDir: () => folder.path,
    notices,
    async restart() {
      await stop();
      running = await startTestAws({ dataDir: folder.path, onNotice: (text) => notices.push(text) });
      return running;
    },
    stop,
  };
}
