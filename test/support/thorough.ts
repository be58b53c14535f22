/** Whether the tests that may take any time take more of it: `npm run test:thorough`. */
export const THOROUGH = process.env['THOROUGH'] === '1';
