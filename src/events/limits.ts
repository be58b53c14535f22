/** An event, as sent and as stored, in UTF-8 bytes of canonical JSON. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** Nested containers in an event, itself included. */
export const MAX_DEPTH = 32;

/** Lengths of strings, in Unicode code points. */
export const MAX_TYPE_LENGTH = 128;
export const MAX_ACTION_LENGTH = 128;
export const MAX_WORKSPACE_ID_LENGTH = 128;
export const MAX_ID_LENGTH = 255;
export const MAX_NAME_LENGTH = 255;
export const MAX_EMAIL_LENGTH = 320;
export const MAX_REASON_LENGTH = 512;
export const MAX_USER_AGENT_LENGTH = 2048;

export const MAX_RELATED_TARGETS = 10;

/** Versions are stored as a Postgres integer. */
export const MAX_VERSION = 2 ** 31 - 1;

/** How old the time within a sent id may be: as long as a retry may take to arrive. */
export const MAX_ID_AGE_MS = 7 * 24 * 60 * 60_000;
