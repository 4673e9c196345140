/** The state of the error budget in a sentence. */

export interface Told {
  readonly budgetLeft: number | null;
  /** 0: gone; null: it lasts. */
  readonly goneInSeconds: number | null;
  /** Of the last hour. */
  readonly burnRate: number | null;
  readonly windowDays: number;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** In English and Russian. */
export function sloWords(told: Told): { en: string; ru: string } {
  return { en: english(told), ru: russian(told) };
}

function english({ budgetLeft, goneInSeconds, burnRate, windowDays }: Told): string {
  if (budgetLeft === null) return `No operations in the last ${count(windowDays, EN.days, 'en')}.`;
  const days = count(windowDays, EN.days, 'en');
  if (budgetLeft <= 0) return `The error budget of ${days} is gone: ${spent(budgetLeft)}% of it is spent.`;
  const left = `${percent(budgetLeft, 'en')} of the error budget is left`;
  if (burnRate === null) return `${left}; there were no operations in the last hour.`;
  if (goneInSeconds === null) return `${left}; at this rate it lasts.`;
  return `${left}; at this rate the budget is gone in ${span(goneInSeconds, 'en')}.`;
}

function russian({ budgetLeft, goneInSeconds, burnRate, windowDays }: Told): string {
  const days = count(windowDays, RU.days, 'ru');
  const last = PLURALS.ru.select(windowDays) === 'one' ? 'последний' : 'последние';
  if (budgetLeft === null) return `За ${last} ${days} операций не было.`;
  if (budgetLeft <= 0) return `Бюджет ошибок на ${days} исчерпан: израсходовано ${spent(budgetLeft)} %.`;
  const left = `Осталось ${percent(budgetLeft, 'ru')} бюджета ошибок`;
  if (burnRate === null) return `${left}; за последний час операций не было.`;
  if (goneInSeconds === null) return `${left}; при таком темпе его хватит.`;
  return `${left}; при таком темпе он закончится через ${span(goneInSeconds, 'ru')}.`;
}

type Locale = 'en' | 'ru';

/** By the categories of Intl.PluralRules; Russian has `one`, `few` and `many` for whole numbers. */
type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string };

const EN = {
  minutes: { one: 'minute', other: 'minutes' },
  hours: { one: 'hour', other: 'hours' },
  days: { one: 'day', other: 'days' },
} as const satisfies Record<string, Forms>;

// In the accusative: "через минуту", "за последние 30 дней".
const RU = {
  minutes: { one: 'минуту', few: 'минуты', many: 'минут', other: 'минут' },
  hours: { one: 'час', few: 'часа', many: 'часов', other: 'часов' },
  days: { one: 'день', few: 'дня', many: 'дней', other: 'дней' },
} as const satisfies Record<string, Forms>;

const PLURALS = { en: new Intl.PluralRules('en'), ru: new Intl.PluralRules('ru') };

function count(n: number, forms: Forms, locale: Locale): string {
  return `${n} ${forms[PLURALS[locale].select(n)] ?? forms.other}`;
}

/** A length of time in its one fitting unit; never nothing. */
function span(seconds: number, locale: Locale): string {
  const words = locale === 'en' ? EN : RU;
  if (seconds < HOUR) return count(Math.max(1, Math.round(seconds / MINUTE)), words.minutes, locale);
  if (seconds < 2 * DAY) return count(Math.round(seconds / HOUR), words.hours, locale);
  return count(Math.round(seconds / DAY), words.days, locale);
}

/** Whole percent, but neither 0 nor 100 of what is only near it. */
function percent(ratio: number, locale: Locale): string {
  const whole = Math.round(ratio * 100);
  const shown = whole === 0 ? '<1' : whole === 100 && ratio < 1 ? '>99' : String(whole);
  return locale === 'en' ? `${shown}%` : `${shown} %`;
}

function spent(budgetLeft: number): number {
  return Math.round((1 - budgetLeft) * 100);
}
