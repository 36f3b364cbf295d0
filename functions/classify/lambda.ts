/** Where Lambda enters the packaged worker: TensorFlow has to be unpacked before anything asks for it. */
import { prepareTensorflow } from '../../shared/runtime/unpack-tensorflow.ts';

await prepareTensorflow(import.meta.dirname);

export const { handler } = await import('./handler.ts');
