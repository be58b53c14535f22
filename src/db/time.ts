import * as z from 'zod';
import { formatTime } from '../events/time.ts';

/** A time in JSON that Postgres wrote, in its own way; answers have UTC with milliseconds. */
export const databaseTime = z.iso
  .datetime({ offset: true })
  .transform((text) => formatTime(Date.parse(text)));
