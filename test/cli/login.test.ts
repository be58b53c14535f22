import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkLogin } from '../../src/cli/setup/app-role.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase('postgres');
});
afterAll(() => database.close());

const REMEDY = 'Mend it.';

function check(url: string, isNew: boolean) {
  return checkLogin({ url, localEndpoint: database.endpoint.url.href }, isNew, REMEDY);
}

/** The proxy goes by the old password for so many requests. */
function forgetPassword(requests: number): void {
  let left = requests;
  database.endpoint.intercept = () => {
    left -= 1;
    return left < 0
      ? undefined
      : { kind: 'error-after-commit', error: { code: '28P01', message: 'password authentication failed' } };
  };
}

test('a new password that is not known yet is tried again', async () => {
  forgetPassword(2);
  await expect(check(database.appUrl, true)).resolves.toBeUndefined();
});

test('an old one that is wrong is not', async () => {
  forgetPassword(1);
  await expect(check(database.appUrl, false)).rejects.toThrow(/daybook_app cannot work .*28P01.*Mend it\./);
  database.endpoint.intercept = undefined;
});

test('a connection that is good for another user is refused', async () => {
  await expect(check(database.ownerUrl, false)).rejects.toThrow(
    'takes the Worker for another than daybook_app',
  );
});
