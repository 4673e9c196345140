/** The words of `top` in each language that it speaks. */
import type { SystemHealth } from '../../streams/system-health.js';
import type { SortKey } from './top-view.js';

export const LANGUAGES = ['en', 'ru'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Words {
  readonly language: Language;
  readonly connected: string;
  readonly lost: (seconds: string, reason: string) => string;
  readonly paused: (seconds: string, missed: number) => string;
  readonly waiting: string;
  readonly statuses: Readonly<Record<SystemHealth['status'], string>>;
  readonly states: Readonly<Record<'complete' | 'catching_up' | 'incomplete' | 'unknown', string>>;
  readonly roles: Readonly<Record<'starting' | 'leader' | 'standby' | 'stopped', string>>;
  readonly bells: Readonly<Record<'armed' | 'disarmed' | 'off' | 'dead', string>>;
  readonly health: string;
  readonly rows: string;
  readonly lag: string;
  readonly bell: string;
  readonly window: string;
  readonly columns: Readonly<Record<ColumnName, string>>;
  readonly throughput: string;
  readonly errors: string;
  readonly last5min: string;
  readonly queue: string;
  readonly pending: string;
  readonly oldest: string;
  readonly exports: string;
  readonly components: string;
  readonly notConfigured: string;
  readonly alerts: string;
  readonly noAlerts: string;
  readonly alertsUnknown: string;
  readonly severities: Readonly<Record<'critical' | 'warning', string>>;
  readonly since: string;
  readonly acknowledged: string;
  readonly more: (count: number) => string;
  readonly noTypes: string;
  /** Key and what it does. */
  readonly keys: readonly (readonly [string, string])[];
  /** Days, hours, minutes, seconds, milliseconds. */
  readonly units: readonly [string, string, string, string, string];
}

export type ColumnName =
  | SortKey
  | 'success_rate'
  | 'errors'
  | 'warnings'
  | 'skipped'
  | 'avg'
  | 'min'
  | 'max'
  | 'oldest'
  | 'trend';

const EN: Words = {
  language: 'en',
  connected: 'connected',
  lost: (seconds, reason) => `CONNECTION LOST ${seconds} ago, trying again (${reason})`,
  paused: (seconds, missed) => `PAUSED ${seconds}, ${missed} newer`,
  waiting: 'waiting for the first numbers',
  statuses: { healthy: 'healthy', degraded: 'degraded', unhealthy: 'UNHEALTHY' },
  states: {
    complete: 'complete',
    catching_up: 'catching up',
    incomplete: 'INCOMPLETE',
    unknown: 'UNKNOWN',
  },
  roles: { starting: 'starting', leader: 'leader', standby: 'standby', stopped: 'stopped' },
  bells: { armed: 'armed', disarmed: 'disarmed', off: 'off', dead: 'DEAD' },
  health: 'Health',
  rows: 'rows',
  lag: 'lag',
  bell: 'bell',
  window: 'WINDOW',
  columns: {
    type: 'TYPE',
    operations: 'OPS',
    error_rate: 'ERROR %',
    pending: 'PENDING',
    p50: 'P50',
    p95: 'P95',
    p99: 'P99',
    throughput: 'PER MIN',
    success_rate: 'SUCCESS %',
    errors: 'ERRORS',
    warnings: 'WARNINGS',
    skipped: 'SKIPPED',
    avg: 'AVG',
    min: 'MIN',
    max: 'MAX',
    oldest: 'OLDEST',
    trend: 'TREND',
  },
  throughput: 'Throughput',
  errors: 'Errors',
  last5min: 'last 5 min',
  queue: 'Queue',
  pending: 'pending',
  oldest: 'oldest waits',
  exports: 'exports',
  components: 'COMPONENT',
  notConfigured: 'not configured',
  alerts: 'Alerts',
  noAlerts: 'none firing',
  alertsUnknown: 'not known',
  severities: { critical: 'CRITICAL', warning: 'WARNING' },
  since: 'since',
  acknowledged: 'acknowledged',
  more: (count) => `${count} more`,
  noTypes: 'no operations in this window',
  keys: [
    ['q', 'quit'],
    ['1-4', 'window'],
    ['s/S', 'sort'],
    ['r', 'reverse'],
    ['↑↓', 'scroll'],
    ['p', 'pause'],
  ],
  units: ['d', 'h', 'min', 's', 'ms'],
};

const RU: Words = {
  language: 'ru',
  connected: 'на связи',
  lost: (seconds, reason) => `НЕТ СВЯЗИ ${seconds}, пробуем снова (${reason})`,
  paused: (seconds, missed) => `ПАУЗА ${seconds}, новых: ${missed}`,
  waiting: 'ждём первых чисел',
  statuses: { healthy: 'в порядке', degraded: 'есть проблемы', unhealthy: 'НЕИСПРАВНО' },
  states: {
    complete: 'полные',
    catching_up: 'догоняем',
    incomplete: 'НЕПОЛНЫЕ',
    unknown: 'НЕИЗВЕСТНО',
  },
  roles: { starting: 'запуск', leader: 'ведущий', standby: 'резервный', stopped: 'остановлен' },
  bells: { armed: 'взведён', disarmed: 'снят', off: 'выключен', dead: 'НЕ РАБОТАЕТ' },
  health: 'Состояние',
  rows: 'данные',
  lag: 'отставание',
  bell: 'звонок',
  window: 'ОКНО',
  columns: {
    type: 'ТИП',
    operations: 'ОПЕРАЦИЙ',
    error_rate: 'ОШИБ. %',
    pending: 'В ОЧЕРЕДИ',
    p50: 'P50',
    p95: 'P95',
    p99: 'P99',
    throughput: 'В МИН.',
    success_rate: 'УСПЕХ %',
    errors: 'ОШИБОК',
    warnings: 'ПРЕДУПР.',
    skipped: 'ПРОПУЩ.',
    avg: 'СРЕДН.',
    min: 'МИН.',
    max: 'МАКС.',
    oldest: 'СТАРЕЙШ.',
    trend: 'ХОД',
  },
  throughput: 'Операции',
  errors: 'Ошибки',
  last5min: 'за 5 мин',
  queue: 'Очередь',
  pending: 'ожидают',
  oldest: 'старейшая ждёт',
  exports: 'экспорт',
  components: 'КОМПОНЕНТ',
  notConfigured: 'не настроено',
  alerts: 'Оповещения',
  noAlerts: 'активных нет',
  alertsUnknown: 'неизвестно',
  severities: { critical: 'АВАРИЯ', warning: 'ВНИМАНИЕ' },
  since: 'с',
  acknowledged: 'принято',
  more: (count) => `ещё ${count}`,
  noTypes: 'в этом окне нет операций',
  keys: [
    ['q', 'выход'],
    ['1-4', 'окно'],
    ['s/S', 'сортировка'],
    ['r', 'обратно'],
    ['↑↓', 'прокрутка'],
    ['p', 'пауза'],
  ],
  units: ['д', 'ч', 'мин', 'с', 'мс'],
};

export const WORDS: Readonly<Record<Language, Words>> = { en: EN, ru: RU };

/** The language of a POSIX locale such as `ru_RU.UTF-8`; English where it is none of ours. */
export function languageOf(locale: string): Language {
  return /^ru(?![a-z])/i.test(locale) ? 'ru' : 'en';
}
