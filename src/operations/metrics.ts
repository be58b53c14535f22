import type { Sql } from '../db/client.ts';
import type { Queue } from '../env.ts';
import { askGauges, type DatabaseGauges } from './database.ts';
import { exposition, type Gauge, type Sample } from './exposition.ts';
import { askQueue, type Backlog } from './queue.ts';

const DAY = 86_400;

/** Every gauge as Prometheus reads it. What cannot be asked is left out, and `…_up` is 0. Takes 5 s at most. */
export async function metrics(sql: Sql, queue: Queue): Promise<string> {
  const [database, backlog] = await Promise.all([askGauges(sql), askQueue(queue)]);
  return exposition([
    gauge('database_up', 'Whether the database answers.', +(database !== undefined)),
    ...(database === undefined ? [] : databaseGauges(database)),
    gauge('queue_up', 'Whether the queue tells its backlog.', +(backlog !== undefined)),
    ...(backlog === undefined ? [] : queueGauges(backlog)),
  ]);
}

function databaseGauges(database: DatabaseGauges): Gauge[] {
  return [
    gauge(
      'events_last_minute',
      'Stored events whose ids are of the last 60 seconds; 100,000 and 2,000 workspaces at most.',
      database.events_last_minute,
    ),
    gauge(
      'events_last_minute_partial',
      'Whether events_last_minute met a bound and may be more.',
      +database.events_last_minute_partial,
    ),
    gauge('dead_letters', 'Events kept as dead letters; up to 100,000 are counted.', database.dead_letters),
    gauge(
      'oldest_unsealed_seconds',
      'Age of the oldest stored event that waits to be sealed; 0 when none does.',
      database.oldest_unsealed_s ?? 0,
    ),
    gauge(
      'unsealed_events_estimate',
      'Stored events that wait to be sealed; exact while they are few.',
      database.unsealed_estimate,
    ),
    gauge(
      'retention_overdue',
      'Whether something of retention has been due for two hours.',
      +database.retention_overdue,
    ),
    {
      name: 'retention_last_run_seconds',
      help: 'Time since retention last ran to its end.',
      samples: database.last_run_age_s === null ? [] : [{ value: database.last_run_age_s }],
    },
    {
      name: 'partitions_ahead_days',
      help: 'For how long partitions follow one another from now on without a gap.',
      samples: byTable(database.partitions_ahead_s, (seconds) => Math.round((seconds / DAY) * 100) / 100),
    },
    {
      name: 'table_bytes_estimate',
      help: 'Size with indexes, as of the last vacuum.',
      samples: byTable(database.table_bytes_estimate),
    },
  ];
}

function queueGauges({ messages, bytes, oldest }: Backlog): Gauge[] {
  return [
    gauge('queue_backlog_messages', 'Messages that wait in the queue.', messages),
    gauge('queue_backlog_bytes', 'Their size.', bytes),
    gauge('queue_oldest_message_seconds', 'Age of the oldest of them; 0 when there is none.', oldest),
  ];
}

function gauge(name: string, help: string, value: number): Gauge {
  return { name, help, samples: [{ value }] };
}

function byTable(figures: Readonly<Record<string, number>>, unit = (value: number) => value): Sample[] {
  return Object.entries(figures).map(([table, value]) => ({ labels: { table }, value: unit(value) }));
}
