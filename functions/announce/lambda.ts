/** Where Lambda enters the packaged function that announces the ends of jobs. It needs no TensorFlow. */
export { handler } from './handler.ts';
