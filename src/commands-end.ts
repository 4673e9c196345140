/** How a command can end but well; which exit code that is, main.ts knows. */

/** Wrong usage: exit code 2. */
export class UsageError extends Error {}

/** It failed, and the reason has been told already. */
export class Told extends Error {}

/** An alert would have fired where none was expected: exit code 3. */
export class Fired extends Told {}
