/** Who asks, as the connection string names them. */
export interface Credentials {
  user: string;
  password: string;
  database: string;
}

/** One statement of the extended protocol; parameters are in Postgres' text format. */
export interface Statement {
  query: string;
  params: (string | null)[];
}

export type IsolationLevel = 'ReadUncommitted' | 'ReadCommitted' | 'RepeatableRead' | 'Serializable';

/** The options of `START TRANSACTION`; what is left out stays at the server's default. */
export interface TransactionOptions {
  isolation?: IsolationLevel | undefined;
  readOnly?: boolean | undefined;
  deferrable?: boolean | undefined;
}

export interface RunRequest {
  statements: Statement[];
  /** Present: all statements are one transaction. Absent: each commits by itself. */
  transaction?: TransactionOptions | undefined;
  /** Bytes of rows past which `ResultTooLarge` is thrown; a transaction is then rolled back. */
  maxResultBytes?: number | undefined;
  /** Cancels the running statement; `run` then rejects with SQLSTATE 57014. */
  signal?: AbortSignal | undefined;
}

/** A column of a RowDescription message. */
export interface ResultField {
  name: string;
  dataTypeID: number;
  tableID: number;
  columnID: number;
  dataTypeSize: number;
  dataTypeModifier: number;
}

export interface StatementResult {
  fields: ResultField[];
  /** Values in Postgres' text format, in the order of `fields`. */
  rows: (string | null)[][];
  /** First word of the command tag; empty for an empty query. */
  command: string;
  /** The count in the command tag, or null where it has none. */
  rowCount: number | null;
}

/** A database that runs requests, each on a session nobody has used before as far as it can tell. */
export interface Engine {
  /**
   * Checks user, password and database as Postgres would and runs the statements on one clean session.
   *
   * @throws PostgresError, ComputeUnreachable, ConnectionLost, ResultTooLarge
   */
  run(credentials: Credentials, request: RunRequest): Promise<StatementResult[]>;
  /** Ends all sessions; later calls of `run` reject with `ComputeUnreachable`. */
  close(): Promise<void>;
}
