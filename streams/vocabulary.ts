/** The bounded names (names.ts) under which rows are counted. */
import { OPERATION_TYPES, STATUSES } from './event.js';
import { Names } from './names.js';
import { CONFLICT_SOURCES, IDENTIFICATION_METHODS } from './numbers.js';

const KINDS = ['types', 'statuses', 'sources', 'methods'] as const;

/** Names beyond the known ones and `other`, in the order in which they came. */
export type UnknownNames = Readonly<Record<(typeof KINDS)[number], readonly string[]>>;

/** The names that rows have used so far. */
export class Vocabulary {
  readonly types = new Names(OPERATION_TYPES);
  readonly statuses = new Names(STATUSES);
  readonly sources = new Names(CONFLICT_SOURCES);
  readonly methods = new Names(IDENTIFICATION_METHODS);

  /** `unknown`: names that came before, so that each of them is kept, or is `other`, as it was then. */
  constructor(unknown: Partial<UnknownNames> = {}) {
    for (const kind of KINDS) for (const name of unknown[kind] ?? []) this[kind].index(name);
  }

  /** What a new vocabulary has to be made with to map names as this one does. */
  unknown(): UnknownNames {
    const { types, statuses, sources, methods } = this;
    return {
      types: types.unknown(),
      statuses: statuses.unknown(),
      sources: sources.unknown(),
      methods: methods.unknown(),
    };
  }
}
