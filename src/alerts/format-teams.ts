/**
 * Microsoft Teams: an Adaptive Card, as workflows ("When a Teams webhook request is received") and the older connectors
 * take it. A TextBlock reads Markdown, a TextRun does not: so every text is a TextRun.
 * https://adaptivecards.io/explorer/TextRun.html
 */
import type { Message } from './message.js';

interface Run {
  readonly type: 'TextRun';
  readonly text: string;
  readonly weight?: 'Bolder';
  readonly size?: 'Medium';
  readonly color?: 'Attention' | 'Warning' | 'Good';
  readonly fontType?: 'Monospace';
}

export function teams(message: Message): string {
  const color =
    message.state === 'resolved' ? 'Good' : message.severity === 'critical' ? 'Attention' : 'Warning';
  const body = [
    block([run(message.title, { weight: 'Bolder', size: 'Medium', color })]),
    block([run(message.text)]),
    ...message.facts.map(({ label, value }) => block([run(`${label}: `, { weight: 'Bolder' }), run(value)])),
    ...message.sections.flatMap(({ heading, lines }) => [
      block([run(heading, { weight: 'Bolder' })], { spacing: 'Medium' }),
      ...lines.map((line) => block([run(`• ${line}`)], { spacing: 'None' })),
    ]),
    block([run(message.command.label, { weight: 'Bolder' })], { spacing: 'Medium' }),
    block([run(message.command.text, { fontType: 'Monospace' })], { spacing: 'None' }),
  ];
  const { link } = message;
  return JSON.stringify({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body,
          actions: link ? [{ type: 'Action.OpenUrl', title: link.label, url: link.url }] : [],
        },
      },
    ],
  });
}

function block(inlines: readonly Run[], more: { spacing?: 'None' | 'Medium' } = {}) {
  return { type: 'RichTextBlock', inlines, ...more };
}

function run(text: string, style: Partial<Run> = {}): Run {
  // `{{DATE(...)}}` is replaced by the client in any text of a card; a word joiner between the braces is not seen.
  return { type: 'TextRun', text: text.replaceAll('{{', '{\u2060{') || ' ', ...style };
}

/** The older connectors answer 200 when Teams itself refused. Null where it did not. */
export function teamsFault(answer: string): string | null {
  return answer.startsWith('Webhook message delivery failed') ? answer : null;
}
