import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MOTO, pythonPackages } from './python-packages.ts';

/** moto: a CloudFormation that makes real queues, buckets and tables, all of them in its memory. */
export type MotoServer = AsyncDisposable & {
  endpoint: string;
  account: string;
  region: string;
  /** What points the SDKs and the command at it. */
  environment: Record<'AWS_ENDPOINT_URL' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>;
};

export async function startMotoServer(): Promise<MotoServer> {
  const server = spawn('python3', ['-u', '-c', 'from moto.server import main; main()', '-H', '127.0.0.1', '-p', '0'], {
    env: { ...process.env, PYTHONPATH: await pythonPackages(MOTO) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endpoint = await listening(server);
  // Its log must be read: a full pipe would stop it.
  server.stdout.resume();
  server.stderr.resume();
  const region = 'us-east-1';
  return {
    endpoint,
    region,
    account: '123456789012',
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'nobody',
      AWS_SECRET_ACCESS_KEY: 'nothing',
    },
    async [Symbol.asyncDispose]() {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    },
  };
}

/** @returns its address, which it prints when it listens */
async function listening({ stdout, stderr }: { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream }) {
  const said: string[] = [];
  return new Promise<string>((resolve, reject) => {
    for (const output of [stdout, stderr]) {
      createInterface(output).on('line', (line) => {
        said.push(line);
        const address = /Running on (http:\S+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    }
    stderr.once('close', () => reject(new Error(`moto ended before it listened:\n${said.join('\n')}`)));
  });
}
