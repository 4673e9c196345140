/** Words of the charts in Russian. */
import type { charts as english } from '../en/charts.js';

export const charts: typeof english = {
  throughput: 'Операций в минуту',
  errorRate: 'Доля ошибок',
  durations: 'Длительность',
  queue: 'Очередь',
  pending: 'ожидают',
  exports: 'из них экспорт в 1С',
  soFar: 'пока',
  newest: 'Последние',
  fired: { critical: 'Критическое оповещение', warning: 'Предупреждение' },
  failed: 'Не удалось прочитать графики этого периода:',
  loading: 'Читаем период…',
  unseen: 'Очередь известна лишь с того времени, как за ней следит монитор.',
  hint: 'Стрелки двигают по времени, вместе с Shift выделяют, Enter приближает выделенное, Escape снимает его.',
  zoomHint: 'Протяните по графику, чтобы приблизить период.',
  table: 'В виде таблицы',
  tableName: 'Числа графиков, от старых к новым',
  from: 'С',
  csv: 'CSV',
  csvTypes: 'Сохранить эту таблицу в CSV',
  csvSeries: 'Сохранить графики в CSV',
  steps: { 10: '10 с', 60: '1 мин', 300: '5 мин', 900: '15 мин', 3600: '1 ч', 21600: '6 ч', 86400: '1 дн' },
  step: (length) => `шаг ${length}`,
};
