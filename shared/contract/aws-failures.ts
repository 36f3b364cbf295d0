import { awsCallOf } from './aws-call.ts';
import { type AwsSettingNames, namesInEnvironment } from './aws-setting-names.ts';
import { isOfAws } from './urls.ts';
import { visibleLine } from './visible-text.ts';

/** An error of the AWS SDK: `$metadata` has a status when there was a response, which is in `$response`. */
type AwsError = NodeJS.ErrnoException & {
  hostname?: string;
  Region?: string;
  /** The malformed URL. */
  input?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
};

/** The permissions of calls, where they differ from the name of the call. */
const PERMISSIONS = new Map([
  ['ListObjectsV2', 's3:ListBucket'],
  // Without s3:ListBucket, S3 answers 403 for an object that is not there.
  ['GetObject', 's3:GetObject and s3:ListBucket'],
  ['HeadObject', 's3:GetObject and s3:ListBucket'],
  ['DeleteObjects', 's3:DeleteObject'],
]);

const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);
const WRONG_CLOCK = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture']);
const WRONG_REGION = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);
const WRONG_KEY = new Set([
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const NO_SUCH_THING = new Set(['NoSuchBucket', 'QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue']);
const UNTRUSTED = /CERT|SIGNED|SIGNATURE|ISSUER/;

/**
 * One line for an error of an AWS service: service, address, call, reason and what to do. Undefined for a bug.
 *
 * @param names how the reader sets what it is about; by default in the environment
 */
export function awsFailureText(error: AwsError, names = namesInEnvironment()): string | undefined {
  if (error.name === 'CredentialsProviderError') {
    return `no AWS credentials: set ${names.credentials} (${error.message})`;
  }
  if (/region is missing/i.test(error.message)) return `no AWS region: set ${names.region}, e.g. to us-east-1`;
  if (/^region not accepted/i.test(error.message)) {
    return `not an AWS region: set ${names.region}, e.g. to us-east-1 (${visibleLine(error.message)})`;
  }
  const { service, call = 'a request', address } = { service: 'AWS', ...awsCallOf(error) };
  if (error.name === 'EndpointError' || isMalformedEndpoint(error)) {
    return `${service} has no valid endpoint: ${visibleLine([error.message, error.input].filter(Boolean).join(' '))}; expected http://HOST:PORT or https://HOST in ${names.endpoint(service)}`;
  }
  if (error.$metadata === undefined) return undefined;
  const where = address === undefined ? service : `${service} at ${visibleLine(address)}`;
  const status = error.$metadata.httpStatusCode;
  return status === undefined
    ? `${where} cannot be reached for ${call}: ${reasonOf(error)}; ${howToReach(error, { service, address, names })}`
    : `${where} answered ${call} with ${answerOf(error, status)}${adviceAfter(error, { service, call, status, names })}`;
}

/** Only for calls of AWS: other malformed URLs are not endpoints. */
function isMalformedEndpoint(error: AwsError): boolean {
  return error.code === 'ERR_INVALID_URL' && awsCallOf(error) !== undefined;
}

function answerOf({ name, message }: AwsError, status: number): string {
  const known = /^(?:\d+|UnknownError|Unknown|Error|SyntaxError)$/.test(name) ? `status ${status}` : name;
  return visibleLine(message === '' || message === name ? known : `${known}: ${message}`);
}

function reasonOf({ code, hostname, message }: AwsError): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${code}, no address for the name ${visibleLine(hostname ?? '')}`;
  return code ?? visibleLine(message);
}

type Unreached = { service: string; address: string | undefined; names: AwsSettingNames };

function howToReach({ code = '', message }: AwsError, { service, address, names }: Unreached): string {
  if (UNTRUSTED.test(code)) return 'its certificate is not trusted: name a file with its issuer in NODE_EXTRA_CA_CERTS';
  if (/wrong version number|packet length too long/i.test(message))
    return `it does not speak HTTPS: begin ${names.endpoint(service)} with http://`;
  if (address === undefined || isOfAws(address)) return `check the network, the proxy and ${names.region}`;
  if (code === 'ENOTFOUND' && service === 'S3' && names.pathStyle !== undefined) {
    return `${names.pathStyle} does not put the bucket before the name`;
  }
  return isOnThisMachine(address) ? names.isItRunning : `check the network, the proxy and ${names.endpoint(service)}`;
}

type Answered = { service: string; call: string; status: number; names: AwsSettingNames };

/** What to do about an error response; empty where its message says everything. */
function adviceAfter(error: AwsError, answered: Answered): string {
  const advice = adviceFor(error, answered);
  return advice === undefined ? '' : `; ${advice}`;
}

function adviceFor(error: AwsError, { service, call, status, names }: Answered): string | undefined {
  const { name, message } = error;
  if (EXPIRED.has(name)) return 'the credentials have expired: get new ones, e.g. with aws sso login';
  if (WRONG_CLOCK.has(name) || /Signature (?:expired|not yet current)/.test(message)) {
    return 'the clock of this machine is wrong: set it';
  }
  if (WRONG_REGION.has(name) || status === 301) return regionAdvice(error, names);
  if (WRONG_KEY.has(name)) return `check ${names.credentials}`;
  if (NO_SUCH_THING.has(name)) return `check ${service === 'S3' ? names.bucket : names.queues} and ${names.region}`;
  if (status === 403 || name.startsWith('AccessDenied'))
    return `the credentials need the permission ${permissionOf(service, call)}`;
  if (error instanceof SyntaxError || /is not expected|Unexpected token|Deserialization/i.test(message)) {
    return `that is not an answer of ${service}: is another service at this address?`;
  }
  return undefined;
}

/** S3 names the right region in a header, in the body or in the message. */
function regionAdvice({ Region, message, $response }: AwsError, names: AwsSettingNames): string {
  const region = $response?.headers?.['x-amz-bucket-region'] ?? Region ?? /expecting '([\w-]+)'/.exec(message)?.[1];
  return region === undefined
    ? `the bucket is in another region: set ${names.region} to it`
    : `the bucket is in another region: set ${names.regionOf(visibleLine(region))}`;
}

function permissionOf(service: string, call: string): string {
  return PERMISSIONS.get(call) ?? `${service.toLowerCase()}:${call.replace(/Batch$/, '')}`;
}

function isOnThisMachine(address: string): boolean {
  return /^https?:\/\/(?:127\.|(?:[^/]+\.)?localhost\b|\[::1\])/.test(address);
}
