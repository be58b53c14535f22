export {
  defineCatalogue,
  type ActionOf,
  type ActionRule,
  type Catalogue,
  type CatalogueDefinition,
  type EventOf,
  type TargetTypeOf,
} from '../events/catalogue.ts';
export type { Flaw } from '../events/flaw.ts';
export type { MemberRule, MetadataRule, MetadataShape, StandardSchema } from '../events/metadata-rule.ts';
export { VOCABULARIES, type Vocabulary, type VocabularyName } from '../events/vocabularies.ts';
