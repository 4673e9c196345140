import { decodeRow } from './decode.js';
import { selectList } from './statements.js';
import type { TableInfo } from './table.js';

/** A table with what reads rows of it: the list of columns, of the alias `t`, and how a raw row is decoded. */
export function readable(table: TableInfo) {
  return { ...table, selectList: selectList(table.columns, 't'), decode: decodeRow };
}
