import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { defineCatalogue, type ActionOf, type EventOf, type TargetTypeOf } from './catalogue.ts';

const catalogue = defineCatalogue({
  vocabularies: ['tasks'],
  actions: {
    'invoice.paid': {
      target: 'invoice',
      metadata: { amount: 'number', currency: ['EUR', 'USD'], note: 'string?' },
      description: 'An invoice was paid in full',
    },
    'invoice.sent': { target: ['invoice', 'reminder'], metadata: z.object({ to: z.email() }) },
    'report.opened': {},
  },
  targetTypes: ['report'],
});
type Definition = typeof catalogue.definition;

const paid = {
  action: 'invoice.paid',
  target: { type: 'invoice', id: '7' },
  metadata: { amount: 12.5, currency: 'EUR' },
};
const placesOf = (event: Parameters<typeof catalogue.check>[0]) =>
  catalogue.check(event).map(({ pointer, code }) => `${pointer} ${code}`);

describe('a catalogue', () => {
  it('has the vocabularies that it takes in, its actions, and the target types these name', () => {
    expect([...catalogue.terms.actions]).toEqual([
      'task_created',
      'task_updated',
      'task_deleted',
      'attachment_uploaded',
      'attachment_deleted',
      'reminder_sent',
      'invoice.paid',
      'invoice.sent',
      'report.opened',
    ]);
    expect([...catalogue.terms.targetTypes]).toEqual(['task', 'attachment', 'reminder', 'report', 'invoice']);
  });

  it.each([
    paid,
    { ...paid, metadata: { ...paid.metadata, note: 'late' } },
    { action: 'invoice.sent', target: { type: 'reminder' }, metadata: { to: 'ada@example.com' } },
    { action: 'report.opened', target: { type: 'task' }, metadata: { whatever: [] } },
    { action: 'task_created', target: { type: 'task' } },
    { ...paid, related_targets: [{ type: 'report' }] },
  ])('finds nothing wrong with %j', (event) => {
    expect(catalogue.check(event)).toEqual([]);
  });

  it.each([
    [{ ...paid, action: 'invoice.payed' }, '/action unknown_action'],
    [{ ...paid, action: 'LOGIN' }, '/action unknown_action'],
    [{ ...paid, target: { type: 'Invoice' } }, '/target/type unknown_target_type'],
    [{ ...paid, target: { type: 'task' } }, '/target/type invalid_value'],
    [{ ...paid, related_targets: [{ type: 'x' }] }, '/related_targets/0/type unknown_target_type'],
    [{ ...paid, metadata: { currency: 'EUR' } }, '/metadata/amount required'],
    [{ ...paid, metadata: undefined }, '/metadata/amount required'],
    [{ ...paid, metadata: { ...paid.metadata, amount: '12' } }, '/metadata/amount wrong_type'],
    [{ ...paid, metadata: { ...paid.metadata, currency: 'GBP' } }, '/metadata/currency invalid_value'],
    [{ ...paid, metadata: { ...paid.metadata, note: null } }, '/metadata/note wrong_type'],
    [{ ...paid, metadata: { ...paid.metadata, 'a/b': 1 } }, '/metadata/a~1b unknown_field'],
    [{ ...paid, metadata: { ...paid.metadata, constructor: 1 } }, '/metadata/constructor unknown_field'],
    [{ ...paid, action: 'invoice.sent', metadata: { to: 'nobody' } }, '/metadata/to invalid_value'],
  ])('finds the place of what is wrong (%#)', (event, place) => {
    expect(placesOf(event)).toContain(place);
  });

  it('names the nearest', () => {
    const [flaw] = catalogue.check({ ...paid, action: 'invoice.payed' });
    expect(flaw?.detail).toBe('The catalogue does not take this action: did you mean "invoice.paid"?');
  });

  it('cannot have an action that no event can have', () => {
    expect(() => defineCatalogue({ actions: { 'two words': {} } })).toThrow(
      /"two words" cannot be an action/,
    );
  });

  it.each([[''], ['x'.repeat(129)], ['a\0b'], ['\ud800']])(
    'cannot have a target type that no event can have (%#)',
    (type) => {
      expect(() => defineCatalogue({ targetTypes: [type] })).toThrow(/a target type has 1 to 128 characters/);
      expect(() => defineCatalogue({ actions: { a: { target: type } } })).toThrow(/a target type has/);
    },
  );

  // From plain JavaScript, which no compiler looks at.
  it.each<[unknown, RegExp]>([
    [undefined, /the definition is no object/],
    [{ vocabularies: ['task'] }, /no "task"\. The built-in ones are desktop, .*workspace$/],
    [{ vocabularies: ['constructor'] }, /no "constructor"/],
    [{ vocabularies: 'tasks' }, /vocabularies is no list of texts/],
    [{ action: {} }, /"action", which there is not\. It may have vocabularies, actions, targetTypes/],
    [{ actions: { a: { metdata: {} } } }, /actions\["a"\] has "metdata", which there is not/],
    [{ actions: { a: 'b' } }, /actions\["a"\] is no object/],
    [{ actions: { a: { target: 7 } } }, /actions\["a"\]\.target is no list of texts/],
    [{ actions: { a: { description: 7 } } }, /description is no text/],
    [{ actions: { a: { metadata: { a: 'strin' } } } }, /metadata\["a"\] is "strin", .* Use one of string, /],
    [{ actions: { a: { metadata: { a: [7] } } } }, /metadata\["a"\] is \[7\]/],
    [{ actions: { a: { metadata: 'string' } } }, /neither an object of members nor a Standard Schema/],
  ])('cannot have what its type does not have (%#)', (definition, message) => {
    const define: (definition: never) => unknown = defineCatalogue;
    const defining = () => define(definition as never);
    expect(defining).toThrow(TypeError);
    expect(defining).toThrow(message);
  });

  it('may have a schema that is a function, as those of arktype are', () => {
    const schema = Object.assign(() => {}, { '~standard': { validate: () => ({ value: {} }) } });
    expect(() => defineCatalogue({ actions: { a: { metadata: schema } } })).not.toThrow();
  });

  it('counts a target type in code points', () => {
    expect(() => defineCatalogue({ targetTypes: ['🧾'.repeat(128)] })).not.toThrow();
  });

  it('looks at the members that metadata has by itself', () => {
    const own = defineCatalogue({
      actions: { a: { metadata: { constructor: 'json', toString: 'string?' } } },
    });
    const places = own.check({ action: 'a', target: { type: 't' }, metadata: {} });
    expect(places.map(({ pointer, code }) => `${pointer} ${code}`)).toContain(
      '/metadata/constructor required',
    );
    expect(places.map(({ pointer }) => pointer)).not.toContain('/metadata/toString');
  });

  it('passes over members that are undefined, which JSON drops', () => {
    expect(
      catalogue.check({ ...paid, metadata: { ...paid.metadata, note: undefined, more: undefined } }),
    ).toEqual([]);
  });

  it('tells nothing of what was sent where a schema does', () => {
    const schema = z.string().transform((text, context) => {
      context.addIssue(`not ${text}`);
      return text;
    });
    const tells = defineCatalogue({
      actions: { a: { metadata: z.object({ to: schema }) } },
      targetTypes: ['t'],
    });
    const event = { action: 'a', target: { type: 't' }, metadata: { to: 'ada@example.com' } };
    expect(tells.check(event)).toEqual([
      {
        pointer: '/metadata/to',
        code: 'invalid_value',
        detail: 'The schema of the catalogue does not take this.',
      },
    ]);
  });

  it('has a rule of its own in the place of a built-in name', () => {
    const redefined = defineCatalogue({
      vocabularies: ['tasks'],
      actions: { task_created: { target: 'task', metadata: { by: 'string' } } },
    });
    type Event = EventOf<typeof redefined.definition>;
    expectTypeOf<{ action: 'task_created'; target: { type: 'reminder' } }>().not.toExtend<Event>();
    expectTypeOf<{
      action: 'task_created';
      target: { type: 'task' };
      metadata: { by: string };
    }>().toExtend<Event>();
    expectTypeOf<{ action: 'task_updated'; target: { type: 'reminder' } }>().toExtend<Event>();
    const event = { action: 'task_created', target: { type: 'reminder' } };
    expect(redefined.check(event).map(({ pointer }) => pointer)).toEqual(['/target/type', '/metadata/by']);
  });

  it('does not wait for a schema', () => {
    const waits = defineCatalogue({
      actions: { a: { metadata: z.object({ x: z.string().refine(async () => true) }) } },
    });
    const event = { action: 'a', target: { type: 't' }, metadata: { x: 'y' } };
    expect(() => waits.check(event)).toThrow(/must answer at once/);
  });

  it('gives a union of types', () => {
    expectTypeOf<ActionOf<Definition>>().toEqualTypeOf<
      | 'task_created'
      | 'task_updated'
      | 'task_deleted'
      | 'attachment_uploaded'
      | 'attachment_deleted'
      | 'reminder_sent'
      | 'invoice.paid'
      | 'invoice.sent'
      | 'report.opened'
    >();
    expectTypeOf<TargetTypeOf<Definition>>().toEqualTypeOf<
      'task' | 'attachment' | 'reminder' | 'invoice' | 'report'
    >();
    type Event = EventOf<Definition>;
    expectTypeOf<{
      action: 'invoice.paid';
      target: { type: 'invoice' };
      metadata: { amount: number; currency: 'EUR' };
    }>().toExtend<Event>();
    expectTypeOf<{ action: 'task_created'; target: { type: 'report' } }>().toExtend<Event>();
    expectTypeOf<{ action: 'report.opened'; target: { type: 'task' } }>().toExtend<Event>();
    expectTypeOf<{ action: 'invoice.paid'; target: { type: 'invoice' } }>().not.toExtend<Event>();
    expectTypeOf<{ action: 'invoice.payed'; target: { type: 'invoice' } }>().not.toExtend<Event>();
    expectTypeOf<{ action: 'report.opened'; target: { type: 'rapport' } }>().not.toExtend<Event>();
    expectTypeOf<{
      action: 'invoice.paid';
      target: { type: 'task' };
      metadata: { amount: number; currency: 'EUR' };
    }>().not.toExtend<Event>();
    expectTypeOf<{
      action: 'invoice.paid';
      target: { type: 'invoice' };
      metadata: { amount: string; currency: 'EUR' };
    }>().not.toExtend<Event>();
    expectTypeOf<{
      action: 'invoice.sent';
      target: { type: 'invoice' };
      metadata: { to: string };
    }>().toExtend<Event>();
  });
});
