/** `GET /api/session`: constant while the server runs. Request it again when a change is refused with `csrf`. */
export type Session = {
  /** Send it in the header `x-labelqueue-csrf` of each POST. */
  csrfToken: string;
  /** Whether POSTs are accepted: the server was started with `--allow-changes`. Otherwise hide or disable changes. */
  allowsChanges: boolean;
  environment: Environment;
  /** Of labelqueue, e.g. `0.1.0`. */
  version: string;
};

/** The environment of the queue, for the badge. */
export type Environment = {
  /** E.g. `this machine`, `labelqueue-dev`. */
  name: string;
  /** `prod` is shown in red. */
  kind: 'local' | 'dev' | 'prod';
  /** E.g. `us-east-1`; null where there is none. */
  region: string | null;
  /** The host of an endpoint that is not AWS's own, e.g. `127.0.0.1:4566`; null otherwise. */
  endpoint: string | null;
};
