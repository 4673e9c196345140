/**
 * Slack's incoming webhooks. What comes from rows stands only in elements that Slack does not read as markup (rich text
 * and plain_text), so that no text can mention a channel, fake a link or end a code block.
 * https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */

import { plainLines } from './format-plain.js';
import type { Message } from './message.js';

const HEADER_LIMIT = 150;
const FALLBACK_LIMIT = 3_000;

type Element =
  | { type: 'text'; text: string; style?: { bold: true } }
  | { type: 'link'; url: string; text: string };

export function slack(message: Message): string {
  const bold = (text: string): Element => ({ type: 'text', text, style: { bold: true } });
  // Slack refuses an element without text.
  const text = (content: string): Element => ({ type: 'text', text: content || ' ' });
  const section = (elements: readonly Element[]) => ({ type: 'rich_text_section', elements });
  const parts: object[] = [section([text(message.text)])];
  if (message.facts.length > 0)
    parts.push(
      section(message.facts.flatMap(({ label, value }) => [bold(`\n${label}: `), text(value)] as const)),
    );
  for (const { heading, lines } of message.sections)
    parts.push(section([bold(`\n${heading}\n`)]), {
      type: 'rich_text_list',
      style: 'bullet',
      elements: lines.map((line) => section([text(line)])),
    });
  const { link, command } = message;
  if (link) parts.push(section([text('\n'), { type: 'link', url: link.url, text: link.label }]));
  parts.push(section([bold(`\n${command.label}`)]), {
    type: 'rich_text_preformatted',
    elements: [text(command.text)],
  });
  return JSON.stringify({
    // For notifications, and for those who take this format and know no blocks (Mattermost, Rocket.Chat).
    text: escaped([...plainLines(message).join('\n')].slice(0, FALLBACK_LIMIT).join('')),
    mrkdwn: false,
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: [...message.title].slice(0, HEADER_LIMIT).join(''), emoji: false },
      },
      { type: 'rich_text', elements: parts },
    ],
  });
}

/** Without what begins or ends anything in Slack's own markup, nor a mention or a link in Mattermost's. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@|\](?=\()/g, '$&\u2060');
}
