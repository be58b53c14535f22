import { anEvent } from './client.ts';

/** Small valid events, numbered by their source_id. */
export function events(count: number) {
  return Array.from({ length: count }, (_, index) => anEvent({ source_id: `row ${index}` }));
}

/** The results in short: what became of each event, and the first place of each problem. */
export function outcomes(body: {
  results: { index: number; result: string; problem?: { code: string; errors?: { pointer: string }[] } }[];
}) {
  return body.results.map(({ index, result, problem }) =>
    [index, result, problem?.code, problem?.errors?.[0]?.pointer]
      .filter((part) => part !== undefined)
      .join(' '),
  );
}
