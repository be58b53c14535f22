import type { Credentials, Engine, RunRequest, StatementResult } from '../../src/local/engine.ts';

/** An engine without a database: keeps what it is asked and gives the answer it was told to give. */
export class StubEngine implements Engine {
  readonly runs: { credentials: Credentials; request: RunRequest }[] = [];
  answer: () => Promise<StatementResult[]> = () => Promise.resolve([stubResult]);

  run(credentials: Credentials, request: RunRequest): Promise<StatementResult[]> {
    this.runs.push({ credentials, request });
    return this.answer();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What `select 1 as a` returns. */
export const stubResult: StatementResult = {
  fields: [{ name: 'a', dataTypeID: 23, tableID: 0, columnID: 0, dataTypeSize: 4, dataTypeModifier: -1 }],
  rows: [['1']],
  command: 'SELECT',
  rowCount: 1,
};

export const stubConnectionString = 'postgres://user:password@host/database';

/** Posts `select 1`, or what `init` says, to an endpoint. */
export function postStub(url: URL, init: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: JSON.stringify({ query: 'select 1' }),
    headers: { 'Neon-Connection-String': stubConnectionString },
    ...init,
  });
}
