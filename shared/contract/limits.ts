/**
 * Every number that two parts must agree on. Numbers that depend on each other are derived
 * from each other here, so that none of them can be changed alone.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** SQS's own limit on a message body, and on all bodies of one SendMessageBatch, in bytes. */
export const MAX_MESSAGE_BYTES = 1 * MIB;
/** SQS's own limit on the entries of one batch call. */
export const MAX_BATCH_ENTRIES = 10;
/** SQS's own limit on DelaySeconds. */
export const MAX_DELAY_SECONDS = 900;
/** SQS's own limit on a visibility timeout: twelve hours. */
export const MAX_VISIBILITY_TIMEOUT_SECONDS = 12 * 3_600;

export const MAX_IMAGES_PER_MESSAGE = 1_000;
/** Where nothing else is known: of a redrive, and of messages of other producers. `enqueue` goes by the job's size. */
export const DEFAULT_IMAGES_PER_MESSAGE = 100;
export const MAX_ID_CHARS = 2_048;
/** Levels of JSON within an image's `meta`: whatever walks it recurses, and a stack has its end. */
export const MAX_META_DEPTH = 32;
/** Envelopes around a message, one in the other: SNS that carries an event of EventBridge has two, and nothing has more than three. */
export const MAX_ENVELOPES = 3;
/** Longer than any URL that browsers, CDNs and S3 presigning produce. */
export const MAX_URL_CHARS = 8_192;

/** How often an image is tried before a retryable error becomes its failure. */
export const MAX_ATTEMPTS = 5;
/** The queue's redrive policy: deliveries of one message before SQS moves it to the DLQ. */
export const MAX_RECEIVE_COUNT = 5;
/**
 * How often the worker sends an image on in a new message: retries, images that were not reached, images of hosts that
 * have stopped answering, splits. Lambda's recursive loop detection stops a chain of about 16 invocations, without a
 * failure line; a chain of 12 leaves room for what a function or S3 event put on the queue.
 */
export const MAX_HOPS = 11;
/** The delay before attempt 2; doubled for each attempt after that. */
export const RETRY_BASE_SECONDS = 10;

/** Messages an invocation is given at most; Lambda's limit without a batching window. */
export const EVENT_SOURCE_BATCH_SIZE = 10;
/** Lambda's limit on what an invocation is given. */
export const MAX_PAYLOAD_BYTES = 6_000_000;
/** None: messages of 100 images need no company, and a full queue fills batches without waiting. */
export const EVENT_SOURCE_WINDOW_SECONDS = 0;

/** Processes of one `labelqueue work`: more than the cores of any machine that is worth its price for this work. */
export const MAX_WORK_PROCESSES = 256;
/** For options that take seconds. */
export const DAY_SECONDS = 24 * 3_600;
/** How long `labelqueue work` may take to finish work in hand: a Spot instance has two minutes from its notice to its end. */
export const WORK_DRAIN_SECONDS = 90;
/**
 * A process of `labelqueue work` that holds more is replaced between two batches. One holds about 760 MB in the long run, see
 * `docs/decisions/memory-of-a-worker.md`.
 */
export const WORK_PROCESS_MEMORY_MB = 1_536;

/** Lambda gives one vCPU at this size. */
export const MEGABYTES_PER_VCPU = 1_769;
export const FUNCTION_MEMORY_MB = MEGABYTES_PER_VCPU;
export const FUNCTION_TIMEOUT_SECONDS = 120;
/** AWS: a queue's visibility timeout is at least six times the timeout of its function. */
export const VISIBILITY_TIMEOUT_SECONDS = 6 * FUNCTION_TIMEOUT_SECONDS;
/** What the worker keeps of its time to write and acknowledge what it has. */
export const DEADLINE_RESERVE_MS = 5_000;
/** How long S3 or SQS may take to begin an answer; then the SDK asks again, twice within the reserve. */
const AWS_REQUEST_TIMEOUT_MS = 2_000;
/**
 * For each client of a function. The SDK itself waits for ever: a single reply that never comes would take the whole
 * invocation with it, and each message of a worker would come back as if its images had killed it.
 */
export const SDK_REQUEST_OPTIONS = { requestTimeout: AWS_REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true } as const;

/** How long decodes and inferences that are under way at the deadline are waited for. */
export const ABANDON_AFTER_MS = 2_000;
/** An isolated image may take its fetch and its decode to their own limits, and then some. */
export const ISOLATED_TIMEOUT_MS = 30_000;

export const FETCH_TIMEOUT_MS = 10_000;
export const MAX_IMAGE_BYTES = 20 * 1_000_000;
export const MAX_IMAGE_PIXELS = 50 * 1_000_000;
/** A decode slower than this is given up: 50 megapixels take about 2 s on one vCPU. */
export const DECODE_TIMEOUT_SECONDS = 10;
export const MAX_REDIRECTS = 5;
/** Fetches at once to one host, per worker: a politeness limit, not a tuning knob. */
export const MAX_FETCHES_PER_HOST = 8;
/** Content codings on one body: nobody needs two, and each may cost as much as a body may have bytes. */
export const MAX_CONTENT_CODINGS = 4;
/** How long a name is looked up: as long as half of a fetch, so that the rest is left for the image. */
export const LOOKUP_TIMEOUT_MS = FETCH_TIMEOUT_MS / 2;
/** Names looked up at once, far more than there are images in flight: a name that waits delays no other. */
export const MAX_LOOKUPS = 512;
/** Longer than any header line that a server is known to want. */
export const MAX_USER_AGENT_CHARS = 256;

/** Fetches of a host that end in silence, one after the other, before the worker lets a host rest that never answered. */
export const SILENT_FETCHES_BEFORE_REST = 3;
/** The same for a host that has answered: some of its URLs may hang, and messages of retries hold just those. */
export const SILENT_FETCHES_AFTER_ANSWERS = 2 * MAX_FETCHES_PER_HOST;
/** A fetch that fails for now counts as silence from here on, whatever the server did at last. */
export const SLOW_FAILURE_MS = 2_000;
/** How long a silent host is left alone, in fetch timeouts: long enough to come back, short enough to be asked often. */
export const REST_IN_FETCH_TIMEOUTS = 3;
/** Hosts that a process remembers, at most: their names are foreign. */
export const MAX_REMEMBERED_HOSTS = 20_000;
/** Fetches at once of all hosts that have only been silent so far, while others have images waiting. */
export const SUSPECT_FETCHES = 8;
/** Fetches at once that hosts without an answer so far may always have, however many of their kind are silent. */
export const LEAST_UNPROVEN_FETCHES = 8;

/** A fetch that has brought next to nothing after so long makes room for others: far longer than servers usually take. */
export const STEP_ASIDE_AFTER_MS = 1_500;

/** How soon a worker notices that a job was cancelled. */
export const CANCELLATION_CHECK_MS = 10_000;
/** A failure rate is judged from so many outcomes on. */
export const MIN_OUTCOMES_FOR_FAILURE_RATE = 200;
/** A job with a limit is counted so often at most, and at least as often as workers settle images of it. */
export const SHORTEST_GUARD_INTERVAL_MS = 5_000;
export const LONGEST_GUARD_INTERVAL_MS = 15_000;
/** Names of part files of each kind that a count reads at most: ten requests, an error of about 1 %. */
export const GUARD_COUNT_PARTS = 10_000;
/** A count takes no longer; it goes by what it has read until then. */
export const GUARD_COUNT_MS = 3_000;
/** How long an invocation waits for a count that goes on when its work is done and acknowledged. */
export const GUARD_FINISH_MS = GUARD_COUNT_MS + 1_000;

/**
 * All workers together ask for one look at the end of a run per so many milliseconds: SQS drops the others as repetitions.
 */
export const END_LOOK_WINDOW_MS = 15_000;
/**
 * The delay of the queue of looks: longer than a window, so that a look that anybody asked for in this window comes after
 * what is written now. The end of a run is found at most this long after its last line, and the time of a look.
 */
export const END_LOOK_DELAY_SECONDS = 20;
/** What clocks of workers may differ by. */
export const CLOCK_SKEW_MS = 1_000;
/** The function that looks, and announces: a look at a run whose ids have to be read takes longest. */
export const ANNOUNCE_TIMEOUT_SECONDS = 60;
/** What it keeps of its time to write what it has found. */
export const ANNOUNCE_RESERVE_MS = 10_000;
/** AWS: at least six times the timeout of the function. */
export const END_LOOK_VISIBILITY_SECONDS = 6 * ANNOUNCE_TIMEOUT_SECONDS;
/** Deliveries of a look before SQS moves it to its DLQ: with the pauses between them, about six hours. */
export const END_LOOK_RECEIVES = 30;
/** The pause after the first failed announcement; it doubles up to the longest one. */
export const ANNOUNCE_RETRY_SECONDS = 5;
export const LONGEST_ANNOUNCE_RETRY_SECONDS = 900;
/** For a webhook: connecting, sending and the answer. */
export const WEBHOOK_TIMEOUT_MS = 15_000;
/** A redrive holds the end of its run off for so long at a time: one that dies holds it off no longer. */
export const END_HOLD_MS = 60_000;

/**
 * The function that writes the missing failures of messages that AWS moved to the DLQ runs so often. Each run receives all
 * letters of the DLQ: 10,000 letters are 2,000 requests.
 */
export const SWEEP_INTERVAL_MINUTES = 30;
/** A run takes no longer; what it did not come to is looked at by the next one. */
export const SWEEP_TIMEOUT_SECONDS = 300;
/** What it keeps of its time to make letters visible again. */
export const SWEEP_RESERVE_MS = 30_000;
/** Receivers at once: each may hold ten messages of 1 MiB. */
export const SWEEP_RECEIVERS = 4;
/** Letters that it hides at once. SQS has 120,000 in flight at most, of which a redrive may need 100,000 meanwhile. */
export const SWEEP_MOST_HIDDEN = 15_000;
/** Whatever worker had a message when a run moved last has settled it by then, or lost it. */
export const STRANDED_AFTER_MS = VISIBILITY_TIMEOUT_SECONDS * 1_000;
/** While other messages are on the queue, those of this run may be among them: each comes back once in this time. */
export const STRANDED_BESIDE_OTHERS_AFTER_MS = 2 * STRANDED_AFTER_MS;

/**
 * Images between the start of their fetch and the end of their inference. With servers that take 300 ms, 32 keep a core
 * busy for three quarters of the time and 40 for all of it (`npm run bench`); 40 of 20 MB still fit beside the model.
 */
export const IMAGES_IN_FLIGHT = 40;
export const INFERENCE_BATCH_SIZE = 8;
/** Fetches beside those in flight that have brought next to nothing: each costs a connection and no memory. */
export const IMAGES_ASIDE = 2 * IMAGES_IN_FLIGHT;
/**
 * Of the images in flight those that look expensive to decode. Together with a decode limit of 10 s, an invocation of
 * ten messages with one image each, as they come at the end of a chain, has time for all of them; and the rest of the
 * images in flight keep a core busy.
 */
export const MAX_EXPENSIVE_IMAGES = EVENT_SOURCE_BATCH_SIZE;
/**
 * Expensive images that an invocation puts off without having met another. Then it takes all of them for expensive, and
 * fetches no more than can be decoded: whatever is put off has to be fetched again.
 */
export const PUT_OFF_BEFORE_WAITING = 2 * IMAGES_IN_FLIGHT;
/**
 * Connections to image servers that a process holds at once, idle ones included. Enough for each image in flight to
 * leave several behind for the next image of its host.
 */
export const MAX_CONNECTIONS = 256;
/**
 * Fewer would make images in flight wait for each other's connections, or for those of hosts that hang; a third more for
 * redirects that change hosts.
 */
export const CONNECTIONS_NEEDED = Math.ceil((4 / 3) * IMAGES_IN_FLIGHT) + IMAGES_ASIDE;
/**
 * Descriptors that are no connections to image servers. The AWS SDK opens up to 50 sockets per client, and there are
 * two; Node, TensorFlow, pipes of child processes, modules being loaded and log files stay below 150.
 */
export const OTHER_OPEN_FILES = 2 * 50 + 150;
/** How long a started inference batch waits for images that are still being fetched. */
export const INFERENCE_MAX_WAIT_MS = 20;

export const DEFAULT_TOP_K = 5;

/** The lines of a message with at least this many images are part files of their own; smaller ones share. */
export const MIN_IMAGES_FOR_OWN_PART = 32;
/** A shared part file is written once it holds this many lines. */
export const MAX_SHARED_PART_LINES = 1_000;
/** A shared part file is written once its first line is so old: what is done must not wait for a slow host. */
export const MAX_SHARED_PART_AGE_MS = 2_000;

/** API Gateway's own limit on the body of a request to an HTTP API. */
export const MAX_GATEWAY_BODY_BYTES = 10 * MIB;
/** API Gateway's own limit on a request's line and headers together. */
export const MAX_GATEWAY_HEADER_BYTES = 10_240;
/** An image in the body of a request; in base64, as API Gateway hands it on, it fits an invocation. */
export const MAX_UPLOAD_BYTES = 4 * 1_000_000;
/** Labels that a caller of the API may ask for. */
export const MAX_API_TOP_K = 100;
/** Labels that a line may have. */
export const MAX_TOP_K = 1_000;
/** Numbers that an embedding may have: the default model has 1,280, and networks that are used for images 512 to 4,096. */
export const MAX_EMBEDDING_VALUES = 4_096;
/** Images of one `POST /jobs`. */
export const MAX_IMAGES_PER_REQUEST = 10_000;
/** API Gateway waits 30 s for a function. */
export const API_TIMEOUT_SECONDS = 29;
/** What the API keeps of its time to say that it was not enough. */
export const API_DEADLINE_RESERVE_MS = 1_000;

/** Lex waits 30 s for a function. */
export const CHAT_TIMEOUT_SECONDS = 29;
/** What the chatbot keeps of its time to say that it was not enough. */
export const CHAT_DEADLINE_RESERVE_MS = 1_000;

/** Requests that the HTTP API's process is given at once on this machine; on Lambda it is one (`npm run bench:api`). */
export const LOCAL_API_REQUESTS_AT_ONCE = 32;
/** Bodies that the local HTTP API lets arrive at once: several for each request that is worked on. */
export const LOCAL_API_UPLOADS_AT_ONCE = 8 * LOCAL_API_REQUESTS_AT_ONCE;
/** What those bodies may hold of memory together: twice what is worked on at once, at its largest. */
export const LOCAL_API_UPLOAD_BYTES_AT_ONCE = 2 * LOCAL_API_REQUESTS_AT_ONCE * MAX_UPLOAD_BYTES;

/** Labels that the page of `labelqueue report` shows images of: the most frequent ones. */
export const MAX_REPORT_LABELS = 12;
