/** The forms in which a notice can be sent. */

import { alertmanager } from './format-alertmanager.js';
import { generic } from './format-generic.js';
import { slack } from './format-slack.js';
import { teams, teamsFault } from './format-teams.js';
import { type TelegramTarget, telegram } from './format-telegram.js';
import type { Message } from './message.js';

export const FORMATS = ['generic', 'slack', 'teams', 'telegram', 'alertmanager'] as const;
export type Format = (typeof FORMATS)[number];

/** A format with what it needs besides the message. */
export type FormatChoice =
  | { readonly format: Exclude<Format, 'telegram'> }
  | ({ readonly format: 'telegram' } & TelegramTarget);

/** The body to be posted. */
export function bodyOf(message: Message, choice: FormatChoice): string {
  switch (choice.format) {
    case 'generic':
      return generic(message);
    case 'slack':
      return slack(message);
    case 'teams':
      return teams(message);
    case 'telegram':
      return telegram(message, choice);
    case 'alertmanager':
      return alertmanager(message);
  }
}

/** Finds a fault that a receiver of this format tells with a 200. */
export function faultFinder(format: Format): ((answer: string) => string | null) | undefined {
  return format === 'teams' ? teamsFault : undefined;
}
