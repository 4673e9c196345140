/**
 * WebSocket frames as they go over the wire (RFC 6455, 5.2). `ws` makes a header for each message and client, and hands
 * the socket two buffers; of what thousands get alike, one buffer made once is enough.
 */

/** One text message in one frame, unmasked as a server's are. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  // Not out of the pool: what is in many queues at once would keep whole blocks of it.
  const frame = Buffer.allocUnsafeSlow(header + length);
  frame[0] = 0x81; // the last frame of a message, text
  frame[1] = header === 2 ? length : header === 4 ? 126 : 127;
  if (header === 4) frame.writeUInt16BE(length, 2);
  if (header === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.write(text, header);
  return frame;
}
