import { expect, it } from 'vitest';
import { OWN_ACTIONS, OWN_TARGET_TYPES } from '../../src/events/own-event.ts';
import { VOCABULARIES } from '../../src/events/vocabularies.ts';
import { makeId } from '../../src/events/id.ts';
import { onBothEngines } from '../support/on-engines.ts';
import { appendRows, prepared } from '../support/rows.ts';
import { sqlstateOf } from '../support/sqlstate.ts';

const CHECK_VIOLATION = '23514';

onBothEngines('the catalogue', (database) => {
  const strict = (id: string, ...vocabularies: string[]) =>
    database().app.query('SELECT audit.put_workspace($1, $2::jsonb)', [
      id,
      JSON.stringify({ mode: 'strict', vocabularies }),
    ]);
  /** By a direct call, as a holder of the Worker's credential may make it. */
  const append = (workspaceId: string, fields: Record<string, unknown>) =>
    appendRows(database().app, [prepared(fields, { workspaceId })]);
  const storedIn = async (workspaceId: string) => {
    const query = 'SELECT action FROM audit.events WHERE workspace_id = $1 ORDER BY id';
    return (await database().owner.query(query, [workspaceId])).map(({ action }) => action);
  };
  const task = { actor: { type: 'system' }, target: { type: 'task', id: '1' } };

  it('has the built-in vocabularies', async () => {
    const rows = await database().owner.query(
      `SELECT vocabulary, kind, array_agg(name ORDER BY name) AS names FROM audit.vocabulary_terms
       WHERE vocabulary <> 'daybook' GROUP BY vocabulary, kind`,
    );
    const held = rows.map(({ vocabulary, kind, names }) => [`${vocabulary} ${kind}`, names]);
    const known = Object.entries(VOCABULARIES).flatMap(([name, { actions, target_types: types }]) => [
      [`${name} action`, [...actions].sort()],
      [`${name} target_type`, [...types].sort()],
    ]);
    expect(Object.fromEntries(held)).toEqual(
      Object.fromEntries(known.filter(([, names]) => names !== undefined && names.length > 0)),
    );
  });

  it('holds no open workspace to anything', async () => {
    expect(await append('open', { ...task, action: 'whatever' })).toEqual([]);
  });

  it('lets a strict workspace have its vocabularies, and nothing else', async () => {
    await strict('strict-1', 'tasks');
    expect(await append('strict-1', { ...task, action: 'task_created' })).toEqual([]);
    const refused = [
      { ...task, action: 'task_archived' },
      // Of a vocabulary that it has not chosen.
      { ...task, action: 'LOGIN' },
      { ...task, action: 'task_created', target: { type: 'USER' } },
      { ...task, action: 'task_created', related_targets: [{ type: 'USER' }] },
      { ...task, action: 'TASK_CREATED' },
    ];
    for (const fields of refused) expect(await sqlstateOf(append('strict-1', fields))).toBe(CHECK_VIOLATION);
    expect(await storedIn('strict-1')).toEqual(['task_created']);
  });

  it('refuses what comes as JSON too, and names what it breaks', async () => {
    await strict('strict-2', 'tasks');
    const one = prepared({ ...task, action: 'LOGIN' }, { workspaceId: 'strict-2' });
    const failure = await database()
      .app.query('SELECT audit.append(to_jsonb(audit.rows_of($1)))', [one.row])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: CHECK_VIOLATION, constraint: 'strict_workspace' });
  });

  it('isolates what is refused from its neighbours', async () => {
    await strict('strict-3', 'tasks');
    const batch = ['task_created', 'LOGIN', 'task_deleted'].map((action) =>
      prepared({ ...task, action }, { workspaceId: 'strict-3' }),
    );
    const [row] = await database().app.query('SELECT audit.append_each($1) AS answer', [
      batch.map((event) => event.row).join('\n"\n'),
    ]);
    expect(row?.['answer']).toEqual([
      expect.objectContaining({ index: 1, result: 'refused', constraint: 'strict_workspace' }),
    ]);
    expect(await storedIn('strict-3')).toEqual(['task_created', 'task_deleted']);
  });

  it('still knows an event that was stored before its workspace became strict', async () => {
    const early = prepared({ ...task, action: 'early' }, { workspaceId: 'strict-4' });
    expect(await appendRows(database().app, [early])).toEqual([]);
    await strict('strict-4', 'tasks');
    expect(await appendRows(database().app, [early])).toMatchObject([{ result: 'duplicate' }]);
  });

  it('takes a workspace’s own additions, until they are taken away', async () => {
    await strict('strict-5', 'tasks');
    const put = (actions: string[]) =>
      database().app.query('SELECT audit.put_terms($1, $2::jsonb, true)', [
        'strict-5',
        JSON.stringify(actions.map((name) => ({ kind: 'action', name }))),
      ]);
    await put(['task_archived']);
    expect(await append('strict-5', { ...task, action: 'task_archived' })).toEqual([]);
    await put(['task_split']);
    expect(await sqlstateOf(append('strict-5', { ...task, action: 'task_archived' }))).toBe(CHECK_VIOLATION);
  });

  it('has what the service itself writes', async () => {
    const query = `SELECT name FROM audit.vocabulary_terms WHERE vocabulary = 'daybook' AND kind = $1`;
    const held = async (kind: string) =>
      (await database().owner.query(query, [kind])).map(({ name }) => String(name)).sort();
    expect(await held('action')).toEqual([...OWN_ACTIONS].sort());
    expect(await held('target_type')).toEqual([...OWN_TARGET_TYPES].sort());
  });

  it('lets the service write what is its own, and nobody else', async () => {
    await strict('strict-6', 'tasks');
    const own = { actor: { type: 'service', id: 'operator' }, target: { type: 'workspace', id: 'strict-6' } };
    const listed = { ...own, action: 'operator.events_listed' };
    const of = (fields: Record<string, unknown>, keyId: string | null) =>
      appendRows(database().app, [prepared(fields, { workspaceId: 'strict-6', keyId })]);
    expect(await of(listed, null)).toEqual([]);
    const key = makeId(Date.now());
    expect(await sqlstateOf(of(listed, key))).toBe(CHECK_VIOLATION);
    expect(await sqlstateOf(of({ ...own, action: 'workspace.changed' }, key))).toBe(CHECK_VIOLATION);
    // Its target types come with its actions only.
    for (const fields of [
      { target: { type: 'retention_run' } },
      { related_targets: [{ type: 'workspace' }] },
    ])
      expect(await sqlstateOf(of({ ...task, action: 'task_created', ...fields }, null))).toBe(
        CHECK_VIOLATION,
      );
  });

  it('is of no workspace called *, which means every one', async () => {
    const put = `SELECT audit.put_terms('*', '[{"kind": "action", "name": "x"}]', true)`;
    expect(await sqlstateOf(database().app.query(put))).toBe(CHECK_VIOLATION);
  });

  it('tells what a change took away, and what a workspace was before', async () => {
    const terms = (...names: string[]) => JSON.stringify(names.map((name) => ({ kind: 'action', name })));
    const put = async (query: string, parameters: unknown[]) => {
      const [row] = await database().app.query(`SELECT ${query} AS answer`, parameters);
      return row?.['answer'];
    };
    const putTerms = (...names: string[]) =>
      put('audit.put_terms($1, $2::jsonb, true)', ['before-1', terms(...names)]);
    expect(await putTerms('a', 'b')).toEqual({ changed: true, added: 2, removed: 0, removed_terms: [] });
    expect(await putTerms('b')).toEqual({
      changed: true,
      added: 0,
      removed: 1,
      removed_terms: [{ kind: 'action', name: 'a' }],
    });
    expect(await putTerms('b')).toMatchObject({ changed: false, added: 0, removed: 0 });
    const putMode = (id: string, mode: string) =>
      put('audit.put_workspace($1, $2::jsonb)', [id, JSON.stringify({ mode })]);
    expect(await putMode('before-2', 'open')).toMatchObject({ created: true, before: null });
    expect(await putMode('before-2', 'strict')).toMatchObject({
      created: false,
      before: { id: 'before-2', mode: 'open' },
      workspace: { mode: 'strict' },
    });
  });

  it('has no mode and no vocabulary but those there are', async () => {
    for (const changes of [{ mode: 'closed' }, { vocabularies: ['daybook'] }, { vocabularies: ['x'] }]) {
      const query = 'SELECT audit.put_workspace($1, $2::jsonb)';
      expect(await sqlstateOf(database().app.query(query, ['odd', JSON.stringify(changes)]))).toBe(
        CHECK_VIOLATION,
      );
    }
  });

  it('cannot be changed past its functions', async () => {
    const { app } = database();
    for (const statement of [
      `UPDATE audit.workspaces SET mode = 'open'`,
      `INSERT INTO audit.workspace_terms (workspace_id, kind, name) VALUES ('acme', 'action', 'x')`,
      `DELETE FROM audit.vocabulary_terms`,
      'SELECT * FROM audit.workspace_terms',
    ])
      expect(await sqlstateOf(app.query(statement))).toBe('42501');
  });
});
