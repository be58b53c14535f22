/** What Daybook answers of one event that it holds. */
export interface Receipt {
  id: string;
  workspace_id: string;
  created_at: string;
  result: 'committed' | 'duplicate';
  /** RFC 6901 pointers of what was replaced by `"[redacted]"` */
  redacted: string[];
  /** of the stored event, lower-case hex */
  leaf_hash: string;
}

/** What became of one event. */
export type EventOutcome =
  | { result: 'stored'; receipt: Receipt }
  /** never to be sent again as it is */
  | { result: 'refused'; code: string; detail: string }
  | { result: 'later'; reason?: string };

/** What became of a batch. */
export type BatchOutcome =
  /** one of each event, in order */
  | { kind: 'answered'; outcomes: readonly EventOutcome[]; retryAfter?: number | undefined }
  /**
   * nothing is known of any event; `retryAfter` in ms, where it was said; `isSuspect` where it may be for what one of them
   * holds: a smaller batch may be taken; `isBlocked` where it most likely is, as when a firewall answers
   */
  | {
      kind: 'later';
      reason: string;
      retryAfter?: number | undefined;
      isSuspect?: boolean;
      isBlocked?: boolean;
    }
  /** the batch cannot be taken as it is; smaller ones may be */
  | { kind: 'refused'; code: string; detail: string };

/** Carries batches of events, written as JSON. Where it rejects, nothing is known of any event. */
export interface Transport {
  send(events: readonly string[]): Promise<BatchOutcome>;
}
