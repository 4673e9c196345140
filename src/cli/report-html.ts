/** A report as one HTML file without scripts and links, as mail programs show it. */
import type { ReportPage, ReportTable } from './report-tables.js';
import { isNumeric } from './report-text.js';
import { visible } from './tail-format.js';

const STYLE = `body { font: 14px/1.4 system-ui, sans-serif; color: #1c2530; margin: 24px; }
table { border-collapse: collapse; margin: 0 0 8px; }
th, td { padding: 4px 12px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid #dfe4ea; }
.n { text-align: right; white-space: nowrap; }
p { margin: 0 0 4px; color: #5b6673; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin: 24px 0 8px; }`;

/** Lines without their ends; whatever a row says is text in it. */
export function reportHtml({ title, lines, tables }: ReportPage): string[] {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escaped(title)}</h1>`,
    ...lines.map((line) => `<p>${escaped(line)}</p>`),
    ...tables.flatMap(tableHtml),
    '</body>',
    '</html>',
  ];
}

function tableHtml({ title, columns, rows, notes }: ReportTable): string[] {
  const cell = (tag: 'th' | 'td', text: string, column: number): string =>
    `<${tag}${isNumeric(rows, column) ? ' class="n"' : ''}>${escaped(text)}</${tag}>`;
  const line = (tag: 'th' | 'td', cells: readonly string[]): string =>
    `<tr>${cells.map((text, i) => cell(tag, text, i)).join('')}</tr>`;
  const table = [
    '<table>',
    `<thead>${line('th', columns)}</thead>`,
    '<tbody>',
    ...rows.map((row) => line('td', row)),
    '</tbody>',
    '</table>',
  ];
  return [
    `<h2>${escaped(title)}</h2>`,
    ...(rows.length === 0 ? [] : table),
    ...notes.map((note) => `<p>${escaped(note)}</p>`),
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
