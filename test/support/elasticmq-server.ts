import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createTemporaryFolder } from '../../testkit/temporary-folder.ts';
import { ELASTICMQ, mavenPackage } from './maven-packages.ts';

/** Any free port; as strict about what a message may hold as SQS is. */
const CONFIGURATION = `include classpath("application.conf")
generate-node-address = true
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = 0, sqs-limits = strict }
rest-stats { enabled = false }
`;
/** Starts sooner, and never needs more. */
const QUICK = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** ElasticMQ: an SQS that others have written. */
export type ElasticMqServer = AsyncDisposable & { endpoint: string };

export async function startElasticMqServer(): Promise<ElasticMqServer> {
  const classPath = await mavenPackage(ELASTICMQ);
  const folder = await createTemporaryFolder();
  const configuration = await folder.write('elasticmq.conf', CONFIGURATION);
  const program = ['-cp', classPath, 'org.elasticmq.server.Main'];
  const server = spawn('java', [...QUICK, `-Dconfig.file=${configuration}`, ...program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(server, 'exit');
  const endpoint = await listening(server);
  // Its log must be read: a full pipe would stop it.
  server.stdout.resume();
  server.stderr.resume();
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      await exited;
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** @returns where it listens, which it logs when it does */
function listening({
  stdout,
  stderr,
}: {
  stdout: NodeJS.ReadableStream;
  stderr: NodeJS.ReadableStream;
}): Promise<string> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    for (const output of [stdout, stderr]) {
      createInterface(output).on('line', (line) => {
        lines.push(line);
        const address = /visible server address (http:\S+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    }
    stdout.once('close', () => reject(new Error(`ElasticMQ ended before it listened:\n${lines.join('\n')}`)));
  });
}
