import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { ownTerms, type OwnTerms } from '../catalogue/terms.ts';
import type { WorkspaceChanges } from '../catalogue/workspaces.ts';
import { checkDefinition } from '../events/catalogue-definition.ts';
import { UsageError } from './usage-error.ts';

/** What a file pushes. @throws UsageError that says what is wrong with the file */
export async function readCatalogue(file: string): Promise<{ changes: WorkspaceChanges; terms: OwnTerms }> {
  const definition = await load(file);
  try {
    checkDefinition(definition);
  } catch (error) {
    throw new UsageError(`${file} is no catalogue: ${messageOf(error)}.`, { cause: error });
  }
  // It would leave the workspace with nothing.
  if (Object.keys(definition).length === 0)
    throw new UsageError(
      `${file} is no catalogue: the definition has no vocabularies, actions or targetTypes.`,
    );
  const { vocabularies = [], actions = {}, targetTypes = [] } = definition;
  const named = Object.values(actions).flatMap(({ target }) => target ?? []);
  const terms = ownTerms.safeParse({
    actions: Object.entries(actions).map(([name, { description = '' }]) => ({ name, description })),
    target_types: [...new Set([...targetTypes, ...named])],
  });
  if (!terms.success) throw new UsageError(`${file}: ${issuesOf(terms.error)}`);
  return { changes: { vocabularies: [...vocabularies] }, terms: terms.data };
}

async function load(file: string): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(await readFile(file, 'utf8'));
    const module: unknown = await import(pathToFileURL(resolve(file)).href);
    const exported = z.object({ default: z.looseObject({}) }).parse(module).default;
    if ('fetch' in exported)
      throw new Error(
        'its default export is a Worker. Give the module whose default export is made by defineCatalogue',
      );
    return 'definition' in exported ? exported['definition'] : exported;
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it has no default export' : messageOf(error);
    throw new UsageError(`${file} cannot be read as a catalogue: ${reason}.`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

function issuesOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => `${path.join('.') || 'the definition'}: ${message}`)
    .join('; ');
}
