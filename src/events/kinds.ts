export const ACTOR_TYPES = ['user', 'system', 'api_key', 'service', 'agent', 'anonymous'] as const;
export type ActorType = (typeof ACTOR_TYPES)[number];

export const OUTCOMES = ['success', 'failure', 'denied'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type JsonObject = Record<string, unknown>;

/** Of at most 128 characters. */
export const ACTION_PATTERN = /^[A-Za-z][A-Za-z0-9]*([._:-][A-Za-z0-9]+)*$/;
