import { parseArgs } from 'node:util';
import type { ArgsDef, CommandDef, Resolvable } from 'citty';
import { nearestName } from '../events/nearest.ts';
import { UsageError } from './usage-error.ts';

/** The command that the words name, and what is left for it. */
export interface Chosen {
  command: CommandDef;
  args: string[];
}

/**
 * Finds the command and refuses whatever it would not heed: citty passes over options and words it does not know, and
 * `migrate --dryrun` would migrate.
 * @throws UsageError
 */
export async function chooseCommand(
  command: CommandDef,
  args: string[],
  path: string[] = [],
): Promise<Chosen> {
  const commands = await subCommandsOf(command);
  const names = [...commands.keys()];
  const [word, ...rest] = args;
  if (names.length > 0 && word !== undefined && !word.startsWith('-')) {
    const named = commands.get(word);
    if (named === undefined) throw unknownCommand([...path, word], names);
    // Only the one that runs is loaded.
    const chosen = await (typeof named === 'function' ? named() : named);
    return chooseCommand(chosen, rest, [...path, word]);
  }
  if (command.run === undefined)
    throw new UsageError(`Name a command first, options after it: ${[...path, names.join('|')].join(' ')}.`);
  checkArguments(path.join(' '), await argsOf(command), names, args);
  return { command, args };
}

function checkArguments(title: string, definitions: ArgsDef, commands: string[], args: string[]): void {
  const options = new Map(Object.entries(definitions).filter(([, { type }]) => type !== 'positional'));
  const switches = new Set([...options.keys()].filter((name) => options.get(name)?.type === 'boolean'));
  const { tokens } = parseArgs({
    args,
    options: Object.fromEntries(
      [...options.keys()].map((name) => [name, { type: switches.has(name) ? 'boolean' : 'string' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Set<string>();
  for (const token of tokens.filter((token) => token.kind === 'option')) {
    if (!options.has(token.name))
      throw unknownOption(title, args[token.index] ?? token.rawName, [...options.keys()]);
    if (given.has(token.name)) throw new UsageError(`--${token.name} is given twice.`);
    given.add(token.name);
    checkValue(token, switches.has(token.name));
  }
  const words = tokens.filter((token) => token.kind === 'positional').map(({ value }) => value);
  const [tooMany] = words.slice(Object.keys(definitions).length - options.size);
  if (tooMany !== undefined) throw unexpectedWord(title, tooMany, commands);
}

interface GivenOption {
  name: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function checkValue({ name, value, inlineValue }: GivenOption, isSwitch: boolean): void {
  if (isSwitch && value !== undefined) throw new UsageError(`--${name} takes no value; leave it out for no.`);
  if (isSwitch || inlineValue === true) return;
  // `--name --dev` would make a key called "--dev".
  if (value === undefined || value.startsWith('-')) {
    throw new UsageError(`--${name} needs a value; one that begins with "-" is written --${name}=….`);
  }
}

function unknownOption(title: string, argument: string, known: string[]): UsageError {
  const [option = argument] = argument.split('=', 1);
  const nearest = nearestName(option.replace(/^--?/, ''), known);
  const hint =
    nearest === undefined
      ? `It has ${known.map((name) => `--${name}`).join(', ')}.`
      : `Did you mean --${nearest}?`;
  return new UsageError(`"${title}" has no option ${option}. ${hint}`);
}

function unexpectedWord(title: string, word: string, commands: string[]): UsageError {
  return new UsageError(
    commands.includes(word)
      ? `Options come after the command: ${title} ${word} ….`
      : `"${title}" does not take "${quotable(word)}". Try --help.`,
  );
}

function unknownCommand(path: string[], known: string[]): UsageError {
  const nearest = nearestName(path.at(-1) ?? '', known);
  const hint = nearest === undefined ? `Choose from ${known.join(', ')}.` : `Did you mean ${nearest}?`;
  return new UsageError(`There is no command "${quotable(path.join(' '))}". ${hint}`);
}

/** A word that was not meant to be one may be a connection string, and hold a password. */
function quotable(word: string): string {
  return word.replace(/:\/\/.*/s, '://…');
}

async function subCommandsOf({
  subCommands,
}: CommandDef): Promise<ReadonlyMap<string, Resolvable<CommandDef>>> {
  return new Map(
    Object.entries((await (typeof subCommands === 'function' ? subCommands() : subCommands)) ?? {}),
  );
}

async function argsOf({ args }: CommandDef): Promise<ArgsDef> {
  return (await (typeof args === 'function' ? args() : args)) ?? {};
}
