/** Whether the tests that may take any time take more of it: `THOROUGH=1 npm test`, as in `.ci/run`. */
export const THOROUGH = process.env['THOROUGH'] === '1';
