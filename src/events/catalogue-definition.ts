import type { CatalogueDefinition } from './catalogue.ts';
import { checkMetadataRule } from './metadata-rule.ts';
import { VOCABULARIES, VOCABULARY_NAMES } from './vocabularies.ts';

/**
 * Checks a definition as its type has it, for what no compiler has looked at: JavaScript and JSON. By hand, since catalogues are
 * in the code of whoever writes events, where a library for it would weigh more than all the rest.
 * @throws TypeError that names what is wrong
 */
export function checkDefinition(definition: unknown): asserts definition is CatalogueDefinition {
  const { vocabularies, actions, targetTypes } = membersOf('the definition', definition, [
    'vocabularies',
    'actions',
    'targetTypes',
  ]);
  const unknown = textsOf('vocabularies', vocabularies).find((name) => !Object.hasOwn(VOCABULARIES, name));
  if (unknown !== undefined)
    throw new TypeError(
      `vocabularies: there is no "${unknown}". The built-in ones are ${VOCABULARY_NAMES.join(', ')}`,
    );
  textsOf('targetTypes', targetTypes);
  for (const [name, rule] of Object.entries(membersOf('actions', actions ?? {}))) checkAction(name, rule);
}

function checkAction(name: string, rule: unknown): void {
  const place = `actions["${name}"]`;
  const { target, metadata, description } = membersOf(place, rule, ['target', 'metadata', 'description']);
  textsOf(`${place}.target`, typeof target === 'string' ? [target] : target);
  if (description !== undefined && typeof description !== 'string')
    throw new TypeError(`${place}.description is no text`);
  if (metadata !== undefined) checkMetadataRule(`${place}.metadata`, metadata);
}

/** @param known the only ones it may have; any unless given */
function membersOf(place: string, value: unknown, known?: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${place} is no object`);
  const odd = known && Object.keys(value).find((name) => !known.includes(name));
  if (odd !== undefined)
    throw new TypeError(`${place} has "${odd}", which there is not. It may have ${known?.join(', ')}`);
  return { ...value };
}

function textsOf(place: string, value: unknown = []): string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw new TypeError(`${place} is no list of texts`);
  return value;
}
