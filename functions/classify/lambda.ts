/** The entry point of the packaged worker: TensorFlow must be unpacked before anything imports it. */
import { prepareTensorflow } from '../../shared/runtime/unpack-tensorflow.ts';

await prepareTensorflow(import.meta.dirname);

export const { handler } = await import('./handler.ts');
