import { CASES } from './sources/cases.ts';
import { describeImports } from './whole-and-killed.ts';

describeImports(CASES.filter(({ preset }) => preset === 'desktop'));
