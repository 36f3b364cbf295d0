/** Where Lambda enters the packaged function that sweeps the DLQ. It needs no TensorFlow. */
export { handler } from './handler.ts';
