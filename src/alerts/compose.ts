/** From a decision to what is kept of it and what each receiver is sent. Pure. */
import type { Rule, Transition } from '../../streams/alert.js';
import { alertId, evidenceOf, type Known } from './evidence.js';
import { bodyOf } from './formats.js';
import type { AlertRecord } from './journal.js';
import { type Locale, messageOf } from './message.js';
import { type Notice, noticeId } from './notice.js';
import type { Receiver } from './receivers.js';
import type { TemplateBook } from './texts.js';

/** A transition with what is known of its circumstances. */
export interface Decision extends Known {
  readonly transition: Transition;
}

export interface ComposeOptions {
  /** The watched table: of several monitors, the one that speaks. */
  readonly table: string;
  readonly rules: ReadonlyMap<string, Rule>;
  readonly receivers: readonly Receiver[];
  readonly templates: TemplateBook;
  /** Of what is kept; receivers have their own. */
  readonly locale: Locale;
  readonly publicUrl: string | null;
}

export interface Composed {
  readonly alert: AlertRecord;
  readonly notices: readonly Notice[];
}

/** What came of decisions that were handed on. */
export interface Accepted {
  /** Of each decision, in the words of this moment. */
  readonly alerts: readonly AlertRecord[];
  /** The notices are on their way. */
  readonly done: Promise<void>;
}

export function compose({ transition, ...known }: Decision, options: ComposeOptions): Composed {
  const rule = options.rules.get(transition.rule);
  const evidence = evidenceOf(transition, rule, known, options);
  const say = (locale: Locale) =>
    messageOf(transition, rule, evidence, {
      ...{ locale, templates: options.templates, sloWords: known.sloWords },
    });
  const { title, text } = say(options.locale);
  const id = alertId(transition);
  return {
    alert: {
      ...{ id, rule: transition.rule, severity: transition.severity, startsAt: transition.startsAt },
      ...{ endsAt: transition.endsAt, value: transition.value, peak: transition.peak },
      ...{ threshold: transition.threshold, reason: transition.reason, title, message: text, evidence },
    },
    notices: options.receivers
      .filter(({ name }) => rule?.receivers === undefined || rule.receivers.includes(name))
      .map((receiver) => ({
        ...{
          id: noticeId(options.table, transition, receiver.name),
          transitionId: transition.id,
          alertId: id,
        },
        ...{ rule: transition.rule, kind: transition.kind, receiver: receiver.name },
        body: bodyOf(say(receiver.locale), receiver.choice),
        ...{ decidedAt: transition.at, dueFrom: transition.at, nextAt: transition.at },
        ...{ attempts: 0, outcome: 'pending', reason: null, doneAt: null, held: null },
      })),
  };
}
