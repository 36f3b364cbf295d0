/** How the reader of an error sets what it is about: by variables of the environment, or by options of a function. */
export type AwsSettingNames = {
  credentials: string;
  region: string;
  /** Sets the region. */
  regionOf(region: string): string;
  bucket: string;
  queues: string;
  /** Where the address of a service is set. */
  endpoint(service: string): string;
  /** Keeps the bucket out of the host; undefined where it is not in there. */
  pathStyle: string | undefined;
  /** A question about a service of this machine that cannot be reached. */
  isItRunning: string;
};

/**
 * Names for commands, which read their settings from the environment.
 *
 * @param command how the command is started
 */
export function namesInEnvironment(command = 'labelqueue'): AwsSettingNames {
  return {
    credentials: 'AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    region: 'AWS_REGION',
    regionOf: (region) => `AWS_REGION=${region}`,
    bucket: 'RESULTS_BUCKET',
    queues: 'QUEUE_URL, DEAD_LETTER_QUEUE_URL',
    endpoint: endpointVariables,
    pathStyle: process.env['S3_ADDRESSING_STYLE'] === 'virtual' ? 'S3_ADDRESSING_STYLE=path' : undefined,
    isItRunning: `is \`${command} local\` running, and are these the settings that it printed?`,
  };
}

/** The more specific variable takes precedence. */
function endpointVariables(service: string): string {
  const special = `AWS_ENDPOINT_URL_${service.toUpperCase()}`;
  if (process.env[special]) return special;
  return process.env['AWS_ENDPOINT_URL']
    ? 'AWS_ENDPOINT_URL'
    : `${special}, AWS_ENDPOINT_URL or endpoint_url of the AWS configuration`;
}
