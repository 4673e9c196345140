/** The text of a frame that src/http/wire.ts made. */
export function payloadOf(frame: Buffer | null | undefined): string {
  if (frame === null || frame === undefined) throw new TypeError('there is no frame');
  const length = frame[1] ?? 0;
  return frame.subarray(length < 126 ? 2 : length === 126 ? 4 : 10).toString();
}
