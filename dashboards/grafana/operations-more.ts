/** The rows about durations, the queue, the objective and alerts, and longer times. */
import { GREEN, RED, type RowSpec } from './panel.js';
import { words } from './words.js';

/** The types that are chosen at the top. */
const TYPE = 'operation_type=~"$operation_type"';

export const DURATIONS: RowSpec = {
  title: words('Durations', 'Длительность'),
  panels: [
    {
      kind: 'lines',
      title: words('Quantiles of the window', 'Квантили за окно'),
      description: words(
        'p50, p95 and p99 of the window, all types, exact to three digits; logarithmic axis.',
        'p50, p95 и p99 за окно, все типы, с точностью до трёх знаков; логарифмическая шкала.',
      ),
      unit: 's',
      log: true,
      queries: [
        {
          expr: 'sync_window_duration_seconds{$I,window="$window",operation_type="all"}',
          legend: 'q{{q}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: words('p95 and average, with exemplars', 'p95 и среднее, с примерами'),
      description: words(
        'From the histogram of the chosen types, so coarser than the windows; a point is one operation and leads by its correlation id to the monitor.',
        'По гистограмме выбранных типов, поэтому грубее окон; точка — одна операция, её correlation id ведёт в монитор.',
      ),
      unit: 's',
      queries: [
        {
          expr: `histogram_quantile(0.95, sum by (le) (rate(sync_operation_duration_seconds_bucket{$I,${TYPE}}[$__rate_interval])))`,
          legend: 'p95',
          exemplar: true,
        },
        {
          expr: `sum(rate(sync_operation_duration_seconds_sum{$I,${TYPE}}[$__rate_interval])) / sum(rate(sync_operation_duration_seconds_count{$I,${TYPE}}[$__rate_interval]))`,
          legend: words('average', 'среднее'),
        },
      ],
    },
    {
      kind: 'heatmap',
      title: words('Distribution', 'Распределение'),
      description: words(
        'How many operations of the chosen types took how long.',
        'Сколько операций выбранных типов длилось сколько времени.',
      ),
      unit: 's',
      queries: [
        {
          expr: `sum by (le) (increase(sync_operation_duration_seconds_bucket{$I,${TYPE}}[$__rate_interval]))`,
          legend: '{{le}}',
          exemplar: true,
        },
      ],
    },
    {
      kind: 'lines',
      title: words('p95 by type', 'p95 по типам'),
      description: words(
        'p95 of the window for each chosen type; logarithmic axis.',
        'p95 за окно для каждого выбранного типа; логарифмическая шкала.',
      ),
      unit: 's',
      log: true,
      queries: [
        {
          expr: `sync_window_duration_seconds{$I,window="$window",q="0.95",operation_type!="all",${TYPE}}`,
          legend: '{{operation_type}}',
        },
      ],
    },
  ],
};

export const QUEUE: RowSpec = {
  title: words('Queue', 'Очередь'),
  panels: [
    {
      kind: 'stacked',
      title: words('Pending by type', 'Ожидающие по типам'),
      description: words(
        'Pending rows of the chosen types; those of export_to_1c are the export queue.',
        'Записи в ожидании по выбранным типам; export_to_1c — это очередь экспорта.',
      ),
      unit: 'short',
      queries: [
        {
          expr: `sum by (operation_type) (sync_pending_operations{$I,${TYPE}})`,
          legend: '{{operation_type}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Waiting time', 'Время ожидания'),
      description: words(
        'Age of the oldest pending row by type; no line: nothing of that type waits.',
        'Возраст самой старой записи в ожидании по типам; нет линии — ничего не ждёт.',
      ),
      unit: 's',
      queries: [
        {
          expr: `max by (operation_type) (sync_pending_oldest_age_seconds{$I,${TYPE}})`,
          legend: '{{operation_type}}',
        },
      ],
    },
  ],
};

export const OBJECTIVE: RowSpec = {
  title: words('Objective and alerts', 'SLO и оповещения'),
  panels: [
    {
      kind: 'lines',
      title: words('Burn rate', 'Скорость расхода бюджета'),
      description: words(
        '1 uses up the error budget in exactly the window of the objective; 14.4 over 1 h and 5 min is a fast burn, 6 over 6 h and 30 min a slow one.',
        '1 расходует бюджет ошибок ровно за окно SLO; 14,4 за 1 ч и 5 мин — быстрый расход, 6 за 6 ч и 30 мин — медленный.',
      ),
      unit: 'suffix: ×',
      queries: [{ expr: 'sync_slo_burn_rate{$I}', legend: '{{window}}' }],
    },
    {
      kind: 'lines',
      title: words('Error budget', 'Бюджет ошибок'),
      description: words(
        'Share of the error budget that is left.',
        'Доля бюджета ошибок, которая ещё осталась.',
      ),
      unit: 'percentunit',
      max: 1,
      queries: [{ expr: 'sync_slo_error_budget_remaining_ratio{$I}', legend: words('left', 'осталось') }],
    },
    {
      kind: 'states',
      title: words('Rules', 'Правила'),
      description: words(
        'When each rule of the monitor fired.',
        'Когда срабатывало каждое правило монитора.',
      ),
      unit: 'none',
      states: {
        '0': { text: words('quiet', 'тихо'), color: GREEN },
        '1': { text: words('fires', 'сработало'), color: RED },
      },
      queries: [{ expr: 'max by (rule) (sync_alert_firing{$I})', legend: '{{rule}}' }],
    },
    {
      kind: 'lines',
      title: words('Webhook deliveries', 'Доставка уведомлений'),
      description: words(
        'Notices by outcome, in each step of the graph.',
        'Уведомления по исходам, за каждый шаг графика.',
      ),
      unit: 'short',
      queries: [
        {
          expr: 'sum by (outcome) (increase(sync_webhook_deliveries_total{$I}[$__rate_interval]))',
          legend: '{{outcome}}',
        },
      ],
    },
  ],
};

export const LONGER: RowSpec = {
  title: words('Last 24 hours, and longer', 'Последние 24 часа и дольше'),
  panels: [
    {
      kind: 'lines',
      title: words('Success rate, 24 h', 'Доля успешных, 24 ч'),
      description: words(
        'Successful operations of the last 24 hours, percent; the name of the earlier system.',
        'Успешные операции за последние 24 часа, проценты; имя метрики прежней системы.',
      ),
      unit: 'percent',
      width: 8,
      max: 100,
      queries: [{ expr: 'sync_success_rate{$I}', legend: words('success', 'успешно') }],
    },
    {
      kind: 'lines',
      title: words('Average duration, 24 h', 'Средняя длительность, 24 ч'),
      description: words(
        'Average over the last 24 hours; the name of the earlier system.',
        'Среднее за последние 24 часа; имя метрики прежней системы.',
      ),
      unit: 'ms',
      width: 8,
      queries: [{ expr: 'sync_duration_avg_ms{$I}', legend: words('average', 'среднее') }],
    },
    {
      kind: 'bars',
      title: words('Operations, 24 h', 'Операции, 24 ч'),
      description: words(
        'Operations of the last 24 hours by type.',
        'Операции за последние 24 часа по типам.',
      ),
      unit: 'short',
      width: 8,
      queries: [{ expr: 'sum by (type) (sync_operations_by_type{$I})', legend: '{{type}}' }],
    },
    {
      kind: 'lines',
      title: words('Throughput, recorded', 'Пропускная способность, записанная'),
      description: words(
        'From the recording rules: cheap over months.',
        'По записывающим правилам: быстро и за месяцы.',
      ),
      unit: 'ops',
      queries: [
        {
          expr: 'sum by (operation_type) (sync:operations:rate5m{$I})',
          legend: '{{operation_type}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Error ratio and p95, recorded', 'Доля ошибок и p95, записанные'),
      description: words(
        'From the recording rules; p95 in seconds.',
        'По записывающим правилам; для p95 — секунды.',
      ),
      unit: 'none',
      queries: [
        { expr: 'sync:errors:ratio_rate5m{$I}', legend: words('error ratio', 'доля ошибок') },
        { expr: 'sync:operation_duration_seconds:p95_5m{$I}', legend: words('p95, s', 'p95, с') },
      ],
    },
  ],
};
