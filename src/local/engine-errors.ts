import type { DatabaseError } from 'pg';

/** The fields of an ErrorResponse message, by the names node-postgres gives them. */
export interface PostgresErrorFields {
  message: string;
  severity: string;
  /** SQLSTATE */
  code: string;
  detail?: string | undefined;
  hint?: string | undefined;
  position?: string | undefined;
  internalPosition?: string | undefined;
  internalQuery?: string | undefined;
  where?: string | undefined;
  schema?: string | undefined;
  table?: string | undefined;
  column?: string | undefined;
  dataType?: string | undefined;
  constraint?: string | undefined;
  file?: string | undefined;
  line?: string | undefined;
  routine?: string | undefined;
}

/** Postgres refused the login or a statement. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly fields: PostgresErrorFields;

  constructor(fields: PostgresErrorFields, options?: ErrorOptions) {
    super(fields.message, options);
    this.fields = fields;
  }

  /** SQLSTATE */
  get code(): string {
    return this.fields.code;
  }

  /** Takes over the fields of an error that node-postgres read off the wire. */
  static from(error: DatabaseError): PostgresError {
    const { message, severity = 'ERROR', code = 'XX000', detail, hint, position, internalPosition } = error;
    const { internalQuery, where, schema, table, column, dataType, constraint, file, line, routine } = error;
    const context = { internalPosition, internalQuery, where, file, line, routine };
    const subject = { schema, table, column, dataType, constraint };
    return new PostgresError(
      { message, severity, code, detail, hint, position, ...context, ...subject },
      { cause: error },
    );
  }
}

/** No session could be had: nothing was run, unless the local database process died under the request. */
export class ComputeUnreachable extends Error {
  override readonly name = 'ComputeUnreachable';
}

/** The session broke under a request: whether its statements took effect is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** The rows are larger than the request allows. */
export class ResultTooLarge extends Error {
  override readonly name = 'ResultTooLarge';
}
