//! Every limit of the model, by name. A limit that a remote system imposes names it.

/// Slots of the ring: the minutes of a day. The width of a slot is a parameter, this is not.
pub const SLOTS: i64 = 1440;

/// Default width of a slot: one minute.
pub const DEFAULT_SLOT_WIDTH_MS: i64 = 60_000;

/// Narrowest slot. A ring of such slots lasts 24 minutes; for demos and tests.
pub const MIN_SLOT_WIDTH_MS: i64 = 1_000;

/// Widest slot: with it the ring lasts 60 days.
pub const MAX_SLOT_WIDTH_MS: i64 = 3_600_000;

/// Longest job id, in bytes: a job type, a colon and an account fit.
pub const MAX_JOB_ID_LEN: usize = 192;

/// Longest account id, in bytes.
pub const MAX_ACCOUNT_LEN: usize = 128;

/// Longest key of a rate-limit scope, in bytes.
pub const MAX_SCOPE_LEN: usize = 192;

/// Longest label (channel, job type, service level), in bytes. A queue's name, at most 80
/// characters on SQS, is made of a prefix and two labels.
pub const MAX_LABEL_LEN: usize = 32;

/// Longest error code, in bytes.
pub const MAX_ERROR_CODE_LEN: usize = 64;

/// Longest topic, in bytes (Kafka's own bound).
pub const MAX_TOPIC_LEN: usize = 249;

/// Largest message on a queue, in bytes: what every SQS queue takes, whatever its settings.
pub const MAX_MESSAGE_SIZE_BYTES: usize = 256 * 1024;

/// What a message may need besides its context: ids, token, allowances, error message.
pub const MAX_ENVELOPE_SIZE_BYTES: usize = 16 * 1024;

/// Largest encoded context, in bytes. Registration refuses a larger one; a worker that returns a
/// larger one keeps its old context and its job records the error.
pub const MAX_CONTEXT_SIZE_BYTES: usize = MAX_MESSAGE_SIZE_BYTES - MAX_ENVELOPE_SIZE_BYTES;

/// Deepest nesting of an encoded context, its own braces counted. Decoders stop at some depth, 128
/// in all here; what a store takes must be readable within every envelope.
pub const MAX_CONTEXT_DEPTH: usize = 64;

/// Longest error message that travels in a completion, in bytes of its encoding.
pub const MAX_ERROR_MESSAGE_SIZE_BYTES: usize = 2 * 1024;

/// Most allowances that travel in one completion; the rest is cut off.
pub const MAX_ALLOWANCES: usize = 16;

/// Most creation times that travel in one completion; the newest are kept.
pub const MAX_CREATED: usize = 100;

/// Longest time before the end of its poll at which an item can have been created; an older one is
/// taken as that old: 366 days.
pub const MAX_CREATED_AGE_MS: i64 = 366 * 24 * 3_600_000;

/// Most calls to the channel that one poll can have made; more are taken as that many.
pub const MAX_CALLS: u32 = 10_000;

/// Largest event, key, headers and id included, in bytes. Kafka's default bound for a message,
/// less its framing.
pub const MAX_EVENT_SIZE_BYTES: usize = 1_000_000;

/// Longest key of an event at its source, in bytes.
pub const MAX_SOURCE_KEY_LEN: usize = 256;

/// Furthest point in the future, relative to now, that a remote system may name as the end of a
/// rate-limit window or as a time to retry: 31 days.
pub const MAX_RESET_AHEAD_MS: i64 = 31 * 24 * 3_600_000;
