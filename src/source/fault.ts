import pg from 'pg';
import { ConnectionLostError } from './connection.js';
import { ResetNeededError } from './reading.js';

const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
/** Syntax or access rule, feature not supported (a cached plan's row type), object not in the right state. */
const TABLE_CHANGED = /^(42|0A|55)/;

/** Why a round of reading failed, as far as it decides what helps. */
export type Fault =
  | 'reset'
  /** The owner changes the table; our statement stepped aside after a second. */
  | 'busy'
  /** A statement took too long. */
  | 'slow'
  /** The table may not be what it was. */
  | 'changed'
  | 'connection'
  | 'other';

export function faultOf(error: unknown): Fault {
  if (error instanceof ResetNeededError) return 'reset';
  if (error instanceof ConnectionLostError) return 'connection';
  const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
  if (code === LOCK_NOT_AVAILABLE) return 'busy';
  if (code === QUERY_CANCELED) return 'slow';
  return TABLE_CHANGED.test(code) ? 'changed' : 'other';
}
