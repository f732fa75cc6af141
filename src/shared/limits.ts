/** The numbers of the protocol. Times are seconds, sizes bytes of UTF-8, unless a name says otherwise. */

/** What the server implements (SPEC 7.1, 10, 17). */
export const PROTOCOL_VERSION = '2.1'
export const SERVER_API_VERSION = '7.61'

/** SPEC 15: whole request body, and the payload within it; results share the payload's limit. */
export const MAX_BODY_BYTES = 8_192
export const MAX_PAYLOAD_BYTES = 7_168
export const MAX_RESULT_BYTES = 7_168

/** SPEC 4.1. Lengths are in characters (Unicode code points). */
export const GOAL_LENGTH = { min: 1, max: 256 } as const
export const PRIORITY = { min: 0, max: 1000, default: 100 } as const
export const MAX_ATTEMPTS = { min: 1, max: 20, default: 3 } as const
export const BACKOFF_BASE = { min: 1, max: 3600, default: 5 } as const
/** SPEC gives no upper bound; ten years keeps every time a date that clients can represent. */
export const DELAY = { min: 0, max: 315_360_000, default: 0 } as const
export const DEFAULT_NAMESPACE = 'default'

export const NAMESPACE_PATTERN = /^[A-Za-z0-9._-]{1,64}$/
/** Target workers and capabilities. */
export const TOKEN_PATTERN = /^[A-Za-z0-9_.:-]{1,64}$/
export const REQUEST_ID_PATTERN = /^[A-Za-z0-9_.:-]{1,128}$/
export const MAX_CAPABILITIES = 32
export const MAX_WORKER_ID_LENGTH = 64
export const MAX_ERROR_LENGTH = 500

/** SPEC 3.3: jitter is drawn from [0, 2). */
export const BACKOFF_JITTER = 2
/** SPEC 7.4. */
export const EXTENSION = { min: 10, max: 3600, default: 60 } as const
export const DEFAULT_CLAIM_TIMEOUT = 60

/** SPEC 4.2: an open intent leaves the queue this long after its first `run_at`. */
export const INTENT_LIFETIME = 86_400
/** SPEC 15. */
export const RETENTION = 7 * 86_400
export const IDEMPOTENCY_LIFETIME = 86_400
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255

/** SPEC 7.9. */
export const TTL = { min: 1, max: 86_400, default: 600 } as const
export const MAX_STORE_KEYS = 1_000
export const MAX_STORE_KEY_LENGTH = 256

/** SPEC 15, for generated keys; the main key is exempt from both. */
export const RATE_LIMIT = { requests: 60, window: 60 } as const
export const OPEN_INTENT_CAP = 2_000

/** SPEC 5.2: how far a timestamp may be off, and how long a nonce stays spent. */
export const SIGNATURE_WINDOW = 300
export const NONCE_LIFETIME = 600
export const MAX_NONCE_LENGTH = 256

/** Seconds that a claim or a question for a result may be held until there is something to answer. */
export const WAIT = { min: 0, max: 30 } as const
/** Requests of one generated key that may be held at a time; more are answered at once. */
export const MAX_WAITS = 64
/** Goals that one held claim may ask for, and how many questions they may be with its capabilities. */
export const MAX_GOALS = 32
export const MAX_GOALS_BY_CAPABILITIES = 128

/** SPEC 14. */
export const CLEANUP_INTERVAL = { min: 300, max: 86_400, default: 21_600 } as const
/** SPEC 16: pause after a cleanup pass that failed. */
export const CLEANUP_PAUSE_AFTER_FAILURE = 60

export const MAX_OWNER_LENGTH = 128

/** Secrets travel in headers: values lose surrounding spaces there, and other characters arrive differently from every client. */
export const SECRET_PATTERN = /^[!-~]([ -~]*[!-~])?$/
/** Of the passphrase that encrypts secrets in an export: the file may lie about for years. */
export const PASSPHRASE_LENGTH = { min: 12, max: 1_024 } as const
/** Of passwords that are set in the interface. */
export const PASSWORD_LENGTH = { min: 8, max: 256 } as const
