import { defineCommand } from 'citty';
import { isWorkspaceId } from '../events/workspace-id.ts';
import { describeDifference, warningOf } from './catalogue-difference.ts';
import { readCatalogue } from './catalogue-file.ts';
import { devOption } from './environment.ts';
import { pushToDatabase, pushToDeployment } from './push-catalogue.ts';
import { UsageError, WORKSPACE_WANTED } from './usage-error.ts';

const push = defineCommand({
  meta: {
    name: 'push',
    description: 'Give a workspace the vocabularies and the own terms of a catalogue, and no others',
  },
  args: {
    ...devOption,
    file: {
      type: 'positional',
      description:
        'A module whose default export is made by defineCatalogue, or the same definition as .json',
      required: true,
    },
    workspace: {
      type: 'string',
      description: 'The id of the workspace; made where there is none',
      required: true,
    },
    strict: { type: 'boolean', description: 'Make it strict: it takes nothing else from then on' },
    url: {
      type: 'string',
      description:
        'A deployment to push to with DAYBOOK_API_KEY (catalogue:manage), in place of the database',
    },
  },
  async run({ args }) {
    if (!isWorkspaceId(args.workspace)) throw new UsageError(WORKSPACE_WANTED);
    const { changes, terms } = await readCatalogue(args.file);
    const pushed = { ...changes, ...(args.strict === true && { mode: 'strict' as const }) };
    const difference =
      args.url === undefined
        ? await pushToDatabase(args, args.workspace, pushed, terms)
        : await pushToDeployment(args.url, args.workspace, pushed, terms);
    for (const line of describeDifference(args.workspace, difference)) console.log(line);
    const warning = warningOf(difference);
    if (warning !== undefined) console.error(warning);
  },
});

export const catalogueCommand = defineCommand({
  meta: { name: 'catalogue', description: 'What the events of a workspace may be called' },
  subCommands: { push },
});
