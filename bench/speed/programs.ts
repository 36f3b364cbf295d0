import { join } from 'node:path';
import { WORKER_PROCESS_ENVIRONMENT } from '../../shared/runtime/worker-process.ts';
import type { Peers } from './install-peers.ts';
import type { WorkerProgram } from './run-worker.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODEL = join(ROOT, 'models/efficientnet-lite0');
const PEERS = join(import.meta.dirname, '../peers');

/** Where the queue and the bucket are, and the hosts that have the photos. */
export type Services = { environment: Readonly<Record<string, string>>; photos: readonly string[] };

export function ourProgram({ environment, photos }: Services): WorkerProgram {
  return {
    name: 'labelqueue',
    command: [process.execPath, join(import.meta.dirname, 'our-worker.ts')],
    environment: { ...WORKER_PROCESS_ENVIRONMENT, ...environment, ALLOWED_HOSTS: photos.join(',') },
    settings: { queue: environment['QUEUE_URL'] ?? '' },
  };
}

/** The same worker without the int8 model: what it does in the arithmetic that the peers use. */
export function ourFloatProgram(services: Services): WorkerProgram {
  const { environment, ...program } = ourProgram(services);
  return {
    ...program,
    name: 'labelqueue, 32-bit floats',
    environment: { ...environment, MODEL_PRECISION: 'float32' },
  };
}

export function pythonProgram(services: Services, { pythonPath }: Peers): WorkerProgram {
  return {
    name: 'Python, TensorFlow',
    command: ['python3', join(PEERS, 'python/worker.py')],
    // At its best: by itself TensorFlow takes oneDNN only where it finds AVX-512 VNNI or better.
    environment: { PYTHONPATH: pythonPath, TF_ENABLE_ONEDNN_OPTS: '1' },
    settings: { ...settingsOf(services), model: MODEL },
  };
}

export function nodeProgram(services: Services, { nodeFolder, onnx }: Peers): WorkerProgram {
  return {
    name: 'Node, onnxruntime',
    command: [process.execPath, join(nodeFolder, 'worker.mjs')],
    environment: {},
    settings: { ...settingsOf(services), onnx },
  };
}

/** The same program with more variables, e.g. those under which it sees AVX2 alone. */
export function withEnvironment(program: WorkerProgram, environment: Readonly<Record<string, string>>): WorkerProgram {
  return { ...program, environment: { ...program.environment, ...environment } };
}

function settingsOf({ environment }: Services): Record<string, string> {
  return {
    endpoint: environment['AWS_ENDPOINT_URL'] ?? '',
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    queue: environment['QUEUE_URL'] ?? '',
    bucket: environment['RESULTS_BUCKET'] ?? '',
    labels: join(MODEL, 'labels.txt'),
  };
}
