import type { EmbeddedAws } from '../local/embedded-aws.ts';
import { type ChildModule, startChildModule } from './child-module.ts';

/** What a client needs to reach the embedded AWS of another process. */
export type AwsAccess = Pick<EmbeddedAws, 'environment' | 'clientConfig'>;

/**
 * Starts the embedded AWS in a process of its own, so that it does not slow down what is measured or tested.
 *
 * @param options.dataDir everything is in memory without one
 */
export function startAwsProcess(options: {
  visibilityTimeoutSeconds: number;
  dataDir?: string;
}): Promise<ChildModule<AwsAccess>> {
  const { visibilityTimeoutSeconds, dataDir } = options;
  const args = [String(visibilityTimeoutSeconds), ...(dataDir === undefined ? [] : [dataDir])];
  return startChildModule<AwsAccess>(new URL('./aws-process-main.ts', import.meta.url), ...args);
}
