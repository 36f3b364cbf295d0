/** Where Lambda enters the packaged worker: TensorFlow has to be unpacked before anything asks for it. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { markStart } from '../../shared/contract/start-marks.ts';
import { TFJS_BINDING_VARIABLE } from '../../shared/contract/worker-process.ts';
import { unpackTensorflow } from './unpack-tensorflow.ts';

markStart('labelqueue:entered');
process.env[TFJS_BINDING_VARIABLE] = await unpackTensorflow(join(import.meta.dirname, 'tensorflow'), tmpdir());
markStart('labelqueue:unpacked');

export const { handler } = await import('./handler.ts');
