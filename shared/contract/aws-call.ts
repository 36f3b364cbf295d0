/** A call of an AWS service, as it is named in its documentation. */
export type AwsCall = {
  /** E.g. `S3`. */
  service: string;
  /** E.g. `ListObjectsV2`. */
  call: string;
  /** Where it went, e.g. `http://localhost:9000`; undefined when that was not known yet. */
  address: string | undefined;
};

const calls = new WeakMap<object, AwsCall>();

/** Remembers which call an error came from; the first one stays. */
export function rememberAwsCall(error: unknown, call: AwsCall): void {
  if (typeof error === 'object' && error !== null && !calls.has(error)) calls.set(error, call);
}

/** @returns undefined for an error that did not come from a call of AWS */
export function awsCallOf(error: object): AwsCall | undefined {
  return calls.get(error);
}
