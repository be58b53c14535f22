import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);
const verifierForm = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):[A-Za-z0-9+/=]+$/;
const keyBytes = 32;

/**
 * Whether a password is the one behind a verifier as `pg_authid.rolpassword` stores it (RFC 5802, section 3).
 * Only SCRAM-SHA-256 is known; anything else is refused.
 */
export async function verifyPassword(verifier: string, password: string): Promise<boolean> {
  const [, iterations = '', salt = '', storedKey = ''] = verifierForm.exec(verifier) ?? [];
  if (iterations === '') return false;
  // Postgres prepares passwords by SASLprep, of which NFKC is the part that changes common input.
  const salted = await derive(
    password.normalize('NFKC'),
    Buffer.from(salt, 'base64'),
    Number(iterations),
    keyBytes,
    'sha256',
  );
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const key = createHash('sha256').update(clientKey).digest();
  const expected = Buffer.from(storedKey, 'base64');
  return key.length === expected.length && timingSafeEqual(key, expected);
}
