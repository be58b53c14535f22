import { CASES } from './sources/cases.ts';
import { describeImports } from './whole-and-killed.ts';

// In a file of its own: the two take long with all their rows, and run side by side.
describeImports(CASES.filter(({ preset }) => preset !== 'desktop'));
