/** A call of an AWS service, named as in its documentation. */
export type AwsCall = {
  /** E.g. `S3`. */
  service: string;
  /** E.g. `ListObjectsV2`. */
  call: string;
  /** The address, e.g. `http://localhost:9000`; undefined when it was not resolved yet. */
  address: string | undefined;
};

const calls = new WeakMap<object, AwsCall>();

/** Remembers which call an error came from; the first call is kept. */
export function rememberAwsCall(error: unknown, call: AwsCall): void {
  if (typeof error === 'object' && error !== null && !calls.has(error)) calls.set(error, call);
}

/** The call that an error came from. @returns undefined for an error of anything else */
export function awsCallOf(error: object): AwsCall | undefined {
  return calls.get(error);
}
