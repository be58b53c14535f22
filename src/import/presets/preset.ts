import { nearestName } from '../../events/nearest.ts';
import { ImportError } from '../import-error.ts';
import type { MappingInput } from '../mapping.ts';
import { controlPlane } from './control-plane.ts';
import { desktop } from './desktop.ts';
import { gdpr } from './gdpr.ts';
import { tasks } from './tasks.ts';
import { USUAL_COLUMNS } from './usual-columns.ts';
import { workspace } from './workspace.ts';

const presets = new Map(
  [desktop, controlPlane, gdpr, tasks, workspace].map((preset) => [
    preset.name,
    { ...preset, columns: { ...USUAL_COLUMNS, ...preset.columns } },
  ]),
);

export const PRESETS: readonly string[] = [...presets.keys()];

/** The mapping of a known source. @throws ImportError that names the nearest */
export function presetOf(name: string): MappingInput {
  const preset = presets.get(name);
  if (preset !== undefined) return preset;
  const near = nearestName(name, PRESETS);
  const hint = near === undefined ? `Choose from ${PRESETS.join(', ')}.` : `Did you mean ${near}?`;
  throw new ImportError(
    `There is no preset ${name}. ${hint} For another table write a mapping (docs/migrating.md).`,
  );
}
