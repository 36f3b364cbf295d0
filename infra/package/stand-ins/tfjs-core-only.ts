/**
 * In place of `@tensorflow/tfjs`: the core, which is all that a SavedModel needs. The layers, the
 * converter, the data API and the browser's backends would double the time that the code takes to load.
 */
export * from '@tensorflow/tfjs-core';

/** tfjs-node's callbacks for training extend it; nobody trains here. */
export class CustomCallback {}

export function registerCallbackConstructor(): void {}

export const version = {};
