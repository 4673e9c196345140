/** A report as text for a terminal or a mail. */
import type { ReportPage, ReportTable } from './report-tables.js';
import { visible } from './tail-format.js';

const GAP = '  ';

/** Lines without their ends; what the database says cannot steer the terminal. */
export function reportText({ title, lines, tables }: ReportPage): string[] {
  const shown = visible(title);
  return [
    shown,
    '='.repeat([...shown].length),
    ...lines.map(visible),
    ...tables.flatMap((table) => [
      '',
      visible(table.title),
      '-'.repeat(table.title.length),
      ...linesOf(table),
    ]),
  ];
}

function linesOf({ columns, rows, notes }: ReportTable): string[] {
  const cells = [columns, ...rows].map((row) => row.map(visible));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => [...(row[i] ?? '')].length)));
  const texts = rows.length === 0 ? [] : cells;
  return [
    ...texts.map((row) =>
      row
        .map((cell, i) => pad(cell, widths[i] ?? 0, rows, i))
        .join(GAP)
        .trimEnd(),
    ),
    ...notes.map(visible),
  ];
}

function pad(text: string, width: number, rows: readonly (readonly string[])[], column: number): string {
  const room = ' '.repeat(Math.max(0, width - [...text].length));
  return isNumeric(rows, column) ? room + text : text + room;
}

/** Whether a column is one of numbers: these stand to the right. */
export function isNumeric(rows: readonly (readonly string[])[], column: number): boolean {
  return column > 0 && rows.every((row) => /^([+-]?[\d,.]+( ms| %| pp)?|\u2013)$/.test(row[column] ?? ''));
}
