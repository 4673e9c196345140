/** Part of a file name: `2026-03-10T12-00-00Z`. */
export function fileTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, '').replaceAll(':', '-');
}
