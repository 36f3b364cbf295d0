/**
 * Variables that TensorFlow reads while its library is loaded; whatever is set already stays. Nothing can set them
 * afterwards.
 */
export const TENSORFLOW_ENVIRONMENT = {
  /**
   * By itself TensorFlow computes with oneDNN only where it finds AVX-512 VNNI or better. On AVX2, which is what AWS documents
   * for Lambda, floats take twice the time without it, and eight-bit integers do not run at all.
   */
  TF_ENABLE_ONEDNN_OPTS: '1',
  /** TensorFlow greets on standard error and reports what it does there; its errors stay. */
  TF_CPP_MIN_LOG_LEVEL: '2',
} as const;

/** For the process that is about to load TensorFlow. */
export function setTensorflowEnvironment(environment: NodeJS.ProcessEnv = process.env): void {
  for (const [name, value] of Object.entries(TENSORFLOW_ENVIRONMENT)) environment[name] ??= value;
}
