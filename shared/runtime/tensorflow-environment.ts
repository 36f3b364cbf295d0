import { MEGABYTES_PER_VCPU } from '../contract/limits.ts';

/**
 * Variables that TensorFlow reads while its library is loaded; existing values are kept. They cannot be set afterwards.
 */
export const TENSORFLOW_ENVIRONMENT = {
  /**
   * By default, TensorFlow uses oneDNN only with AVX-512 VNNI or better. On AVX2, which is what AWS documents
   * for Lambda, floats take twice the time without it, and eight-bit integers do not run at all.
   */
  TF_ENABLE_ONEDNN_OPTS: '1',
  /** Suppresses TensorFlow's informational messages on standard error; errors are kept. */
  TF_CPP_MIN_LOG_LEVEL: '2',
} as const;

/** Sets the variables in a process that is about to load TensorFlow. */
export function setTensorflowEnvironment(environment: NodeJS.ProcessEnv = process.env): void {
  const threads = threadsOnLambda(environment);
  const variables = { ...TENSORFLOW_ENVIRONMENT, ...(threads !== undefined && { TF_NUM_INTRAOP_THREADS: threads }) };
  for (const [name, value] of Object.entries(variables)) environment[name] ??= value;
}

/**
 * Lambda shows two processors where a function has the time of one, and TensorFlow would split each operation between both: images
 * would then take more billed time. Decodes use the second processor meanwhile. Elsewhere TensorFlow counts the processors itself.
 */
function threadsOnLambda({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE }: NodeJS.ProcessEnv): string | undefined {
  const megabytes = Number(AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? Number.NaN);
  return megabytes > 0 ? String(Math.max(1, Math.round(megabytes / MEGABYTES_PER_VCPU))) : undefined;
}
