import { type ChildModule, startChildModule } from '../../testkit/child-module.ts';

export type ImageServerReport = { host: string };

/** Starts the image server in a process of its own, so that what it sends costs the test's process nothing. */
export function startImageServerProcess(): Promise<ChildModule<ImageServerReport>> {
  return startChildModule<ImageServerReport>(new URL('./image-server-main.ts', import.meta.url));
}
