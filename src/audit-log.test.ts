import { expectTypeOf, test } from 'vitest';
import type * as z from 'zod';
import type { CreateAuditLogInput } from './audit-log.ts';
import type { auditEvent } from './events/event.ts';

test('the type of what is sent is that of its schema', () => {
  type Input = z.input<typeof auditEvent>;
  expectTypeOf<CreateAuditLogInput>().toExtend<Input>();
  expectTypeOf<keyof CreateAuditLogInput>().toEqualTypeOf<keyof Input>();
  // The schema leaves metadata to the reading of its JSON.
  expectTypeOf<Omit<Input, 'metadata'>>().toExtend<Omit<CreateAuditLogInput, 'metadata'>>();
});
