/**
 * Every number that two parts must agree on. Numbers that depend on each other are derived from each other here, so that
 * none can be changed alone.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** SQS limit: bytes of a message body, and of all bodies of one SendMessageBatch. */
export const MAX_MESSAGE_BYTES = 1 * MIB;
/** SQS limit: entries per batch call. */
export const MAX_BATCH_ENTRIES = 10;
/** SQS limit: DelaySeconds. */
export const MAX_DELAY_SECONDS = 900;
/** SQS limit: visibility timeout, twelve hours. */
export const MAX_VISIBILITY_TIMEOUT_SECONDS = 12 * 3_600;

/** Bounds the work of one message, and the lines of one part file. */
export const MAX_IMAGES_PER_MESSAGE = 1_000;
/** The default of a redrive, and for messages of other producers. `enqueue` chooses by the size of the job. */
export const DEFAULT_IMAGES_PER_MESSAGE = 100;
/** Long enough for most URLs, which are the ids of images that name none. */
export const MAX_ID_CHARS = 2_048;
/** Levels of JSON within an image's `meta`: bounded, because recursive walkers would overflow the stack. */
export const MAX_META_DEPTH = 32;
/** Nested envelopes around a message: an EventBridge event within an SNS notification has two; more than three do not occur. */
export const MAX_ENVELOPES = 3;
/** Longer than any URL that browsers, CDNs and S3 presigning produce. */
export const MAX_URL_CHARS = 8_192;

/** Attempts per image before a retryable error becomes its failure. */
export const MAX_ATTEMPTS = 5;
/** The queue's redrive policy: deliveries of a message before SQS moves it to the DLQ. */
export const MAX_RECEIVE_COUNT = 5;
/**
 * How often the worker may send an image on in a new message: retries, images that were not reached, images of hosts that do
 * not respond, splits. Lambda's recursive loop detection stops a chain of about 16 invocations, without a failure line; a
 * chain of 12 leaves room for a function or an S3 event that produced the first message.
 */
export const MAX_HOPS = 11;
/** The delay before attempt 2; doubled for each attempt after that. */
export const RETRY_BASE_SECONDS = 10;

/** Messages per invocation; Lambda's limit without a batching window. */
export const EVENT_SOURCE_BATCH_SIZE = 10;
/** Lambda limit: bytes of an invocation's payload. */
export const MAX_PAYLOAD_BYTES = 6_000_000;
/** No batching window: messages of 100 images are large enough on their own, and a full queue fills batches without waiting. */
export const EVENT_SOURCE_WINDOW_SECONDS = 0;

/** Processes of one `labelqueue work`: more than the cores of any machine that suits this work. */
export const MAX_WORK_PROCESSES = 256;
/** The maximum of options in seconds. */
export const DAY_SECONDS = 24 * 3_600;
/** How long `labelqueue work` may take to drain: a Spot instance ends two minutes after its notice. */
export const WORK_DRAIN_SECONDS = 90;
/**
 * A process of `labelqueue work` that uses more memory is replaced between two batches. In the long run one uses about
 * 760 MB, see `docs/decisions/memory-of-a-worker.md`.
 */
export const WORK_PROCESS_MEMORY_MB = 1_536;

/** Lambda gives one vCPU at this size. */
export const MEGABYTES_PER_VCPU = 1_769;
/** Memory of the worker function: one vCPU. */
export const FUNCTION_MEMORY_MB = MEGABYTES_PER_VCPU;
/** Timeout of the worker function. */
export const FUNCTION_TIMEOUT_SECONDS = 120;
/** AWS recommends a visibility timeout of at least six times the timeout of the function. */
export const VISIBILITY_TIMEOUT_SECONDS = 6 * FUNCTION_TIMEOUT_SECONDS;
/** The part of the worker's time that is reserved to write and acknowledge what is done. */
export const DEADLINE_RESERVE_MS = 5_000;
/** How long S3 or SQS may take to start a response; then the SDK retries, twice within the reserve. */
const AWS_REQUEST_TIMEOUT_MS = 2_000;
/**
 * Options of every SDK client of a function. By default the SDK waits forever: a single response that never comes would use
 * up the invocation, and each of its messages would be redelivered as if its images had crashed the worker.
 */
export const SDK_REQUEST_OPTIONS = { requestTimeout: AWS_REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true } as const;

/** How long running decodes and inferences are waited for after the deadline. */
export const ABANDON_AFTER_MS = 2_000;
/** For an isolated image: more than the limits of its fetch and its decode together. */
export const ISOLATED_TIMEOUT_MS = 30_000;

/** Maximum duration of a fetch, redirects included. */
export const FETCH_TIMEOUT_MS = 10_000;
/** Maximum size of a fetched image. */
export const MAX_IMAGE_BYTES = 20 * 1_000_000;
/** Maximum width times height. */
export const MAX_IMAGE_PIXELS = 50 * 1_000_000;
/** A slower decode fails: 50 megapixels take about 2 s on one vCPU. */
export const DECODE_TIMEOUT_SECONDS = 10;
/** Redirects followed per fetch. */
export const MAX_REDIRECTS = 5;
/** Concurrent fetches per host and worker: a politeness limit, not a tuning knob. */
export const MAX_FETCHES_PER_HOST = 8;
/** Content codings per body: two are rare, and each may cost as many bytes as a body may have. */
export const MAX_CONTENT_CODINGS = 4;
/** Timeout of a name look-up: half of a fetch, so that half remains for the image. */
export const LOOKUP_TIMEOUT_MS = FETCH_TIMEOUT_MS / 2;
/** Concurrent name look-ups, far more than images in flight: a slow look-up delays no other. */
export const MAX_LOOKUPS = 512;
/** Longer than any header line that a server is known to require. */
export const MAX_USER_AGENT_CHARS = 256;

/** Consecutive fetches without a response before the worker lets a host rest that has never responded. */
export const SILENT_FETCHES_BEFORE_REST = 3;
/** The same for a host that has responded before: some of its URLs may hang, and retry messages hold just those. */
export const SILENT_FETCHES_AFTER_ANSWERS = 2 * MAX_FETCHES_PER_HOST;
/** A transient failure after this time counts as no response, whatever the server did in the end. */
export const SLOW_FAILURE_MS = 2_000;
/** How long a host rests, in fetch timeouts: long enough to recover, short enough to be tried often. */
export const REST_IN_FETCH_TIMEOUTS = 3;
/** Maximum number of hosts that a process remembers: their names come from messages. */
export const MAX_REMEMBERED_HOSTS = 20_000;
/** Concurrent fetches of all hosts that have not responded so far, while other hosts have images waiting. */
export const SUSPECT_FETCHES = 8;
/** Concurrent fetches that hosts without a response so far may always have, however many of them do not respond. */
export const MIN_UNPROVEN_FETCHES = 8;

/** A fetch that has received next to nothing by then makes room for others: far longer than servers usually take. */
export const STEP_ASIDE_AFTER_MS = 1_500;

/** Within which time a worker notices that a job was cancelled, beside the time that S3 takes to answer. */
export const CANCELLATION_CHECK_MS = 10_000;
/** How long after its cancellation images of a run may be in progress: an image in progress still gets its line. */
export const CANCELLED_WORK_MS = CANCELLATION_CHECK_MS + 5_000;
/** Minimum number of outcomes before a failure rate is checked. */
export const MIN_OUTCOMES_FOR_FAILURE_RATE = 200;
/** Minimum interval between two counts of a job with a limit; counts only happen while workers settle images of it. */
export const SHORTEST_GUARD_INTERVAL_MS = 5_000;
/** Maximum interval between two counts of a job with a limit. */
export const LONGEST_GUARD_INTERVAL_MS = 15_000;
/** Part files of each kind that a count lists at most: ten requests, an error of about 1 %. */
export const GUARD_COUNT_PARTS = 10_000;
/** Maximum duration of a count; it then uses what it has listed so far. */
export const GUARD_COUNT_MS = 3_000;
/** How long an invocation waits for a running count once its work is done and acknowledged. */
export const GUARD_FINISH_MS = GUARD_COUNT_MS + 1_000;

/**
 * All workers together request one look at the end of a run per window: SQS deduplicates the others.
 */
export const END_LOOK_WINDOW_MS = 15_000;
/**
 * The delay of the queue of looks: longer than a window, so that a look requested in this window follows whatever is written
 * now. The end of a run is found at most this long after its last line, plus the duration of a look.
 */
export const END_LOOK_DELAY_SECONDS = 20;
/** Maximum difference between the clocks of workers. */
export const CLOCK_SKEW_MS = 1_000;
/** Timeout of the function that looks and announces: a look that has to read ids takes longest. */
export const ANNOUNCE_TIMEOUT_SECONDS = 60;
/** The part of its time that is reserved to write what it has found. */
export const ANNOUNCE_RESERVE_MS = 10_000;
/** AWS recommends at least six times the timeout of the function. */
export const END_LOOK_VISIBILITY_SECONDS = 6 * ANNOUNCE_TIMEOUT_SECONDS;
/** Deliveries of a look before SQS moves it to its DLQ: about six hours, pauses included. */
export const END_LOOK_RECEIVES = 30;
/** The pause after the first failed announcement; doubled after each further one. */
export const ANNOUNCE_RETRY_SECONDS = 5;
/** Maximum pause between two announcements. */
export const LONGEST_ANNOUNCE_RETRY_SECONDS = 900;
/** Timeout of a webhook: connecting, sending and the response. */
export const WEBHOOK_TIMEOUT_MS = 15_000;
/** A redrive renews its hold on the end of the run for this long: a hold ends if the redrive crashes. */
export const END_HOLD_MS = 60_000;

/**
 * Interval of the sweep, which writes the missing failures of messages that AWS moved to the DLQ. Each sweep receives all
 * messages of the DLQ: 10,000 messages are 2,000 requests.
 */
export const SWEEP_INTERVAL_MINUTES = 30;
/** Timeout of a sweep; the next one continues with the rest. */
export const SWEEP_TIMEOUT_SECONDS = 300;
/** The part of its time that is reserved to make messages visible again. */
export const SWEEP_RESERVE_MS = 30_000;
/** Concurrent receivers: each may hold ten messages of 1 MiB. */
export const SWEEP_RECEIVERS = 4;
/** Messages that a sweep hides at once. SQS allows 120,000 in flight, of which a redrive may need 100,000 at the same time. */
export const SWEEP_MAX_HIDDEN = 15_000;
/** By then, any worker that held a message when the run last changed has settled or lost it. */
export const STRANDED_AFTER_MS = VISIBILITY_TIMEOUT_SECONDS * 1_000;
/** While other messages are on the queue, some may belong to this run: each is redelivered once within this time. */
export const STRANDED_BESIDE_OTHERS_AFTER_MS = 2 * STRANDED_AFTER_MS;

/**
 * Images between the start of their fetch and the end of their inference. With servers that take 300 ms, 32 keep a core busy
 * three quarters of the time, and 40 all of the time (`npm run bench`); 40 images of 20 MB still fit beside the model.
 */
export const IMAGES_IN_FLIGHT = 40;
/** Images per inference batch. */
export const INFERENCE_BATCH_SIZE = 8;
/** Fetches in addition to those in flight that have received next to nothing: each costs a connection and no memory. */
export const IMAGES_ASIDE = 2 * IMAGES_IN_FLIGHT;
/**
 * Maximum number of images in flight that look expensive to decode. With a decode timeout of 10 s, an invocation of ten
 * messages with one image each, as at the end of a chain, has time for all of them, and the other images in flight keep a
 * core busy.
 */
export const MAX_EXPENSIVE_IMAGES = EVENT_SOURCE_BATCH_SIZE;
/**
 * Expensive images that an invocation puts off without having met a cheap one. Then it assumes that all are expensive, and
 * fetches no more than it can decode: every image that is put off has to be fetched again.
 */
export const PUT_OFF_BEFORE_WAITING = 2 * IMAGES_IN_FLIGHT;
/**
 * Connections to image servers per process, idle ones included. Enough for each image in flight to leave several for later
 * images of its host.
 */
export const MAX_CONNECTIONS = 256;
/**
 * With fewer, images in flight would wait for each other's connections, or for hosts that hang; includes a third more for
 * redirects to other hosts.
 */
export const CONNECTIONS_NEEDED = Math.ceil((4 / 3) * IMAGES_IN_FLIGHT) + IMAGES_ASIDE;
/**
 * File descriptors other than connections to image servers. The AWS SDK opens up to 50 sockets per client, and there are two;
 * Node, TensorFlow, pipes of child processes, modules being loaded and log files stay below 150.
 */
export const OTHER_OPEN_FILES = 2 * 50 + 150;
/** How long a started inference batch waits for images that are still being fetched. */
export const INFERENCE_MAX_WAIT_MS = 20;

/** Labels per result line by default. */
export const DEFAULT_TOP_K = 5;

/** The lines of a message with at least this many images are a part file of their own; smaller messages share one. */
export const MIN_IMAGES_FOR_OWN_PART = 32;
/** A shared part file is written once it holds this many lines. */
export const MAX_SHARED_PART_LINES = 1_000;
/** A shared part file is written at this age: finished lines must not wait for a slow host. */
export const MAX_SHARED_PART_AGE_MS = 2_000;

/** API Gateway limit: body of a request to an HTTP API. */
export const MAX_GATEWAY_BODY_BYTES = 10 * MIB;
/** API Gateway limit: request line and headers together. */
export const MAX_GATEWAY_HEADER_BYTES = 10_240;
/** An image in the body of a request; in base64, as API Gateway passes it on, it fits into an invocation's payload. */
export const MAX_UPLOAD_BYTES = 4 * 1_000_000;
/** Maximum of the API's parameter `top`. */
export const MAX_API_TOP_K = 100;
/** Maximum of the setting TOP_K: labels per line. */
export const MAX_TOP_K = 1_000;
/** Values per embedding: the default model has 1,280, common image networks 512 to 4,096. */
export const MAX_EMBEDDING_VALUES = 4_096;
/** Images per `POST /jobs`. */
export const MAX_IMAGES_PER_REQUEST = 10_000;
/** API Gateway waits 30 s for a function. */
export const API_TIMEOUT_SECONDS = 29;
/** The part of the API's time that is reserved to respond that it timed out. */
export const API_DEADLINE_RESERVE_MS = 1_000;

/** Lex waits 30 s for a function. */
export const CHAT_TIMEOUT_SECONDS = 29;
/** The part of the chatbot's time that is reserved to reply that it timed out. */
export const CHAT_DEADLINE_RESERVE_MS = 1_000;

/** Concurrent requests of the local HTTP API process; on Lambda it is one (`npm run bench:api`). */
export const LOCAL_API_REQUESTS_AT_ONCE = 32;
/** Concurrent uploads to the local HTTP API: several per request in progress. */
export const LOCAL_API_UPLOADS_AT_ONCE = 8 * LOCAL_API_REQUESTS_AT_ONCE;
/** Memory for those uploads: twice the largest bodies of all requests in progress. */
export const LOCAL_API_UPLOAD_BYTES_AT_ONCE = 2 * LOCAL_API_REQUESTS_AT_ONCE * MAX_UPLOAD_BYTES;

/** The most frequent labels, of which the page of `labelqueue report` shows images. */
export const MAX_REPORT_LABELS = 12;
