import { expect, test, vi } from 'vitest';
import { collectEvents } from './testing.ts';
import { auditAdminAction, auditLogin, configureAudit } from './configured.ts';
import { createAudit } from './create-audit.ts';
import { workspaceHelpers } from './workspace.ts';

const NOWHERE = { url: 'https://daybook.test', apiKey: 'dbk_x', flushOnExit: false };

async function logged(run: (helpers: ReturnType<typeof workspaceHelpers>) => void) {
  const { transport, events } = collectEvents();
  const audit = createAudit({ ...NOWHERE, transport });
  run(workspaceHelpers(audit));
  await audit.close();
  return events;
}

test('each helper records its action, with the arguments in their order', async () => {
  const events = await logged((helpers) => {
    helpers.auditLogin('u1', 'acme', '192.0.2.1', 'curl');
    helpers.auditLogout('u1', 'acme');
    helpers.auditDataExport('u1', 'acme');
    helpers.auditDataExport('u1', 'acme', 'completed', { rows: 5 });
    helpers.auditDataDeletion('u1', 'acme');
    helpers.auditSettingsChange('u1', 'acme', 'theme', 'light', 'dark');
    helpers.auditOAuthConnected('u1', 'acme', 'google');
    helpers.auditOAuthDisconnected('u1', 'acme', 'google');
    helpers.auditSubscriptionCreated('u1', 'acme', 'sub_1', { plan: 'pro' });
    helpers.auditSubscriptionCancelled('u1', 'acme', 'sub_1');
    helpers.auditAdminAction('u1', 'acme', 'disabled_user', { targetUserId: 'u2' });
  });
  expect(events.map(({ action }) => action)).toEqual([
    'login',
    'logout',
    'data_export_requested',
    'data_export_completed',
    'data_delete_requested',
    'settings_changed',
    'oauth_connected',
    'oauth_disconnected',
    'subscription_created',
    'subscription_cancelled',
    'admin_action',
  ]);
  expect(events[0]).toEqual({
    id: expect.any(String),
    workspace_id: 'acme',
    action: 'login',
    actor: { type: 'user', id: 'u1' },
    target: { type: 'session' },
    context: { ip_address: '192.0.2.1', user_agent: 'curl' },
  });
  expect(events[3]?.metadata).toEqual({ rows: 5 });
  expect(events[5]).toMatchObject({
    target: { type: 'settings', id: 'theme' },
    old_value: 'light',
    new_value: 'dark',
  });
  expect(events[6]?.target).toEqual({ type: 'oauth', id: 'google' });
  expect(events[10]?.metadata).toEqual({ action: 'disabled_user', targetUserId: 'u2' });
});

test('logAuditEvent takes the fields of the old logger to those of an event', async () => {
  const [event, ofSystem] = await logged(({ logAuditEvent }) => {
    logAuditEvent({
      workspaceId: 'acme',
      userId: 'u1',
      action: 'settings_changed',
      resource: 'workspace',
      resourceId: 'w1',
      details: { by: 'api' },
      previousValue: { a: 1 },
      newValue: { a: 2 },
    });
    logAuditEvent({ workspaceId: 'acme', action: 'subscription_cancelled' });
  });
  expect(event).toMatchObject({
    workspace_id: 'acme',
    actor: { type: 'user', id: 'u1' },
    target: { type: 'workspace', id: 'w1' },
    metadata: { by: 'api' },
    old_value: { a: 1 },
    new_value: { a: 2 },
  });
  expect(ofSystem?.actor).toEqual({ type: 'system' });
});

test('the functions are bound once; one that is called before tells so, and throws nothing', async () => {
  const told = vi.spyOn(console, 'error').mockReturnValue();
  auditLogin('u1', 'acme');
  auditLogin('u1', 'acme');
  expect(told).toHaveBeenCalledTimes(1);
  told.mockRestore();
  const { transport, events } = collectEvents();
  const audit = configureAudit({ ...NOWHERE, transport });
  auditLogin('u1', 'acme', '192.0.2.1');
  auditAdminAction('u1', 'acme', 'disabled_user');
  await audit.close();
  expect(events.map(({ action }) => action)).toEqual(['login', 'admin_action']);
});

test('a setting that is named as a secret loses its values before they leave the process', async () => {
  const [event] = await logged((helpers) =>
    helpers.auditSettingsChange('u1', 'acme', 'smtp_password', 'hunter2', 'hunter3'),
  );
  expect(event).toMatchObject({
    target: { id: 'smtp_password' },
    old_value: '[redacted]',
    new_value: '[redacted]',
  });
});

test.each([
  ['203.0.113.7:51234', '203.0.113.7'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['1.2.3', undefined],
  ['dead', undefined],
  [42 as never, undefined],
])('a login from %s is recorded, with what of that is an address', async (given, address) => {
  const [event] = await logged((helpers) => helpers.auditLogin('u1', 'acme', given, `${'x'.repeat(2047)}😀`));
  expect(event?.context?.ip_address).toBe(address);
  expect(event?.context?.user_agent?.isWellFormed()).toBe(true);
});

test('the functions are bound for the whole process, though a bundler makes a second module of theirs', async () => {
  const { transport, events } = collectEvents();
  const audit = configureAudit({ ...NOWHERE, transport });
  vi.resetModules();
  const other = await import('./configured.ts');
  expect(other.auditLogin).not.toBe(auditLogin);
  other.auditLogin('u1', 'acme');
  await audit.close();
  expect(events).toHaveLength(1);
});
