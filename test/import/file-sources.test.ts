import { FILE_CASES } from './sources/file-cases.ts';
import { describeImports } from './whole-and-killed.ts';

describeImports(FILE_CASES);
