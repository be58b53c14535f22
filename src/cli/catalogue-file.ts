import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { ownTerms, type OwnTerms } from '../catalogue/terms.ts';
import { workspaceChanges, type WorkspaceChanges } from '../catalogue/workspaces.ts';
import { UsageError } from './usage-error.ts';

/**
 * A definition as `defineCatalogue` takes it, as far as it is pushed: rules of metadata are the code's and the Worker's. What
 * has other members is something else, or misspelt, and would leave the workspace with nothing.
 */
const definition = z
  .strictObject({
    vocabularies: workspaceChanges.shape.vocabularies,
    actions: z
      .record(
        z.string(),
        z.strictObject({
          target: z.union([z.string(), z.array(z.string())]).optional(),
          metadata: z.unknown().optional(),
          description: z.string().optional(),
        }),
      )
      .optional(),
    targetTypes: z.array(z.string()).optional(),
  })
  .refine((members) => Object.keys(members).length > 0, 'has no vocabularies, actions or targetTypes');

/** What a file pushes. @throws UsageError that says what is wrong with the file */
export async function readCatalogue(file: string): Promise<{ changes: WorkspaceChanges; terms: OwnTerms }> {
  const parsed = definition.safeParse(await load(file));
  if (!parsed.success) throw new UsageError(`${file} is no catalogue: ${issuesOf(parsed.error)}`);
  const { vocabularies = [], actions = {}, targetTypes = [] } = parsed.data;
  const named = Object.values(actions).flatMap(({ target }) => target ?? []);
  const terms = ownTerms.safeParse({
    actions: Object.entries(actions).map(([name, { description = '' }]) => ({ name, description })),
    target_types: [...new Set([...targetTypes, ...named])],
  });
  if (!terms.success) throw new UsageError(`${file}: ${issuesOf(terms.error)}`);
  return { changes: { vocabularies }, terms: terms.data };
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
    const reason =
      error instanceof z.ZodError ? 'it has no default export' : error instanceof Error ? error.message : '';
    throw new UsageError(`${file} cannot be read as a catalogue: ${reason}.`, { cause: error });
  }
}

function issuesOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => `${path.join('.') || 'the definition'}: ${message}`)
    .join('; ');
}
