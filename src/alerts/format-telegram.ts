/**
 * Telegram's sendMessage. Marked by entities (places in the text) instead of markup, so that there is nothing to escape;
 * what comes from rows is `code`, in which Telegram finds no mentions, links, hashtags or commands.
 * https://core.telegram.org/bots/api#messageentity
 */
import type { Message } from './message.js';

interface Entity {
  readonly type: 'bold' | 'code' | 'pre' | 'text_link';
  /** In UTF-16 code units, as lengths of strings are. */
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
}

/** Telegram's limit is 4096 code units; what does not fit any more is left out whole, and said so. */
const LIMIT = 4_000;
const ELLIPSIS = '…';

export interface TelegramTarget {
  readonly chatId: string;
  /** Topic of a group; null for none. */
  readonly threadId: number | null;
}

export function telegram(message: Message, { chatId, threadId }: TelegramTarget): string {
  const entities: Entity[] = [];
  let text = '';
  let full = false;
  const put = (part: string, type?: Entity['type'], url?: string) => {
    if (full || part === '') return;
    if (text.length + part.length > LIMIT) {
      full = true;
      text += ELLIPSIS;
      return;
    }
    if (type !== undefined) {
      entities.push({
        type,
        offset: text.length,
        length: part.length,
        ...(url === undefined ? {} : { url }),
      });
    }
    text += part;
  };
  put(inert(message.title), 'bold');
  put(`\n${inert(message.text)}\n`);
  for (const { label, value } of message.facts) {
    put('\n');
    put(`${label}:`, 'bold');
    put(` ${inert(value)}`);
  }
  const { command, link } = message;
  for (const { heading, lines } of message.sections) {
    put('\n\n');
    put(heading, 'bold');
    for (const line of lines) {
      put('\n');
      put(line, 'code');
    }
  }
  put('\n\n');
  put(command.label, 'bold');
  put('\n');
  put(command.text, 'pre');
  if (link) {
    put('\n\n');
    put(link.label, 'text_link', link.url);
  }
  return JSON.stringify({
    chat_id: chatId,
    ...(threadId === null ? {} : { message_thread_id: threadId }),
    text,
    entities,
    link_preview_options: { is_disabled: true },
  });
}

/** Outside of code: a word joiner after what begins a mention, hashtag, command or link. */
function inert(text: string): string {
  return text.replace(/[@#/]|:(?=\/\/)/g, '$&\u2060');
}
