/** In place of `@mapbox/node-pre-gyp`: says where tfjs-node's binding is. */
import { TFJS_BINDING_VARIABLE } from '../../../shared/runtime/worker-process.ts';

export function find(): string {
  const path = process.env[TFJS_BINDING_VARIABLE];
  if (path !== undefined) return path;
  throw new Error(
    `expected ${TFJS_BINDING_VARIABLE} to name tfjs_binding.node, it is not set: start the package by its handler`,
  );
}
