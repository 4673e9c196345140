/** Comma-separated values (RFC 4180) that a spreadsheet opens as data, never as formulas. Pure. */

export type Cell = string | number | null;

/** What makes a spreadsheet calculate (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** With a byte order mark, without which Excel takes UTF-8 for something else. */
export function csvOf(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [line(header)];
  for (const row of rows) lines.push(line(row));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

function line(cells: readonly Cell[]): string {
  return cells.map(cell).join(',');
}

function cell(value: Cell): string {
  if (value === null) return '';
  const text = String(value);
  if (NUMBER.test(text)) return text;
  // The apostrophe says "text" to a spreadsheet.
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
