import type { Connection, Submittable } from 'pg';
import type { ResultField, Statement, StatementResult } from './engine.ts';
import { ResultTooLarge } from './engine-errors.ts';

/** The part of node-postgres' connection that a query of one's own uses; its published types lag behind. */
interface Wire {
  stream: { cork(): void; uncork(): void };
  parse(message: { text: string; name: string }): void;
  bind(message: { values: (string | null)[] }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: object): void;
  sync(): void;
}

const commandTag = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/;

/**
 * One statement through the extended protocol, text both ways. Rows are kept as they come off the wire:
 * no type parsers, no row objects, none of the per-row work of the driver's own query class.
 */
export class TextQuery implements Submittable {
  readonly result: Promise<StatementResult>;
  /** Size of the rows on the wire, which is about their size as JSON. */
  bytes = 0;
  readonly #statement: Statement;
  readonly #maxBytes: number;
  readonly #settle: PromiseWithResolvers<StatementResult>;
  #fields: ResultField[] = [];
  #rows: (string | null)[][] = [];
  #command = '';
  #rowCount: number | null = null;

  constructor(statement: Statement, maxBytes = Number.POSITIVE_INFINITY) {
    this.#statement = statement;
    this.#maxBytes = maxBytes;
    this.#settle = Promise.withResolvers();
    this.result = this.#settle.promise;
  }

  submit(connection: Connection): void {
    // Sound: the driver hands over its own connection, which has these methods; see `Wire`.
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    wire.parse({ text: this.#statement.query, name: '' });
    wire.bind({ values: this.#statement.params });
    wire.describe({ type: 'P', name: '' });
    wire.execute({});
    wire.sync();
    wire.stream.uncork();
  }

  handleRowDescription(message: { fields: ResultField[] }): void {
    this.#fields = message.fields;
  }

  handleDataRow(message: { fields: (string | null)[]; length: number }): void {
    this.bytes += message.length;
    if (this.bytes <= this.#maxBytes) this.#rows.push(message.fields);
    // Nobody will read them: free the memory, and let the server finish.
    else this.#rows.length = 0;
  }

  handleCommandComplete(message: { text: string }): void {
    const [, command = '', first, second] = commandTag.exec(message.text) ?? [];
    const count = second ?? first;
    this.#command = command;
    this.#rowCount = count === undefined ? null : Number(count);
  }

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void; sync(): void }): void {
    connection.sendCopyFail('COPY FROM STDIN is not supported');
    // The server passes over the Sync it already has while it waits for rows.
    connection.sync();
  }

  handleCopyData(): void {}

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleError(error: Error): void {
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    if (this.bytes > this.#maxBytes) {
      this.#settle.reject(new ResultTooLarge('too many bytes of rows'));
      return;
    }
    this.#settle.resolve({
      fields: this.#fields,
      rows: this.#rows,
      command: this.#command,
      rowCount: this.#rowCount,
    });
  }
}
