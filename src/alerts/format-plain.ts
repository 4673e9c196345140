/** The notice as lines of plain text: what a format without structure, or a reader without the format, shows. */
import type { Message } from './message.js';

export function plainLines(message: Message): string[] {
  const lines = [message.title, message.text];
  for (const { label, value } of message.facts) lines.push(`${label}: ${value}`);
  for (const { heading, lines: inside } of message.sections)
    lines.push('', heading, ...inside.map((line) => `- ${line}`));
  if (message.link) lines.push('', `${message.link.label}: ${message.link.url}`);
  lines.push('', `${message.command.label}: ${message.command.text}`);
  return lines;
}
