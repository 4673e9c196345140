/** What the engineer on call looks at: traffic, errors, durations, the queue, objective and alerts. */
import { type DashboardSpec, falling, GREEN, RED, rising } from './panel.js';
import { words } from './words.js';

const TYPE = 'operation_type=~"$operation_type"';

export const OPERATIONS: DashboardSpec = {
  file: 'customer-sync-dashboard',
  uid: 'customer-sync-operations',
  title: words('Customer sync: operations', 'Синхронизация клиентов: операции'),
  description: words(
    'Operations between the portal and 1C: how many, how many fail, how long they take, what waits.',
    'Операции между порталом и 1С: сколько их, сколько с ошибкой, сколько длятся и сколько ждут.',
  ),
  variables: ['window', 'operation_type'],
  rows: [
    {
      title: words('Now', 'Сейчас'),
      panels: [
        {
          kind: 'stat',
          title: words('Operations', 'Операции'),
          description: words(
            'Rows of the chosen window and types, whatever their status.',
            'Записи за выбранное окно и по выбранным типам, с любым статусом.',
          ),
          unit: 'short',
          width: 3,
          queries: [{ expr: `sum(sync_window_operations{$I,window="$window",${TYPE}})` }],
        },
        {
          kind: 'stat',
          title: words('Error ratio', 'Доля ошибок'),
          description: words(
            'Share of rows with the status error or failed in the window, all types. Empty: there were no operations.',
            'Доля записей со статусом error или failed за окно, все типы. Пусто: операций не было.',
          ),
          unit: 'percentunit',
          width: 3,
          decimals: 2,
          steps: rising(0.05, 0.1),
          queries: [{ expr: 'sync_window_error_ratio{$I,window="$window",operation_type="all"}' }],
        },
        {
          kind: 'stat',
          title: words('p95 duration', 'Длительность p95'),
          description: words(
            '95 of 100 operations of the window, all types, took at most this long.',
            '95 из 100 операций за окно, все типы, длились не дольше.',
          ),
          unit: 's',
          width: 3,
          steps: rising(1, 2),
          queries: [
            { expr: 'sync_window_duration_seconds{$I,window="$window",operation_type="all",q="0.95"}' },
          ],
        },
        {
          kind: 'stat',
          title: words('Throughput', 'Пропускная способность'),
          description: words(
            'Operations per minute over the last 5 minutes.',
            'Операций в минуту за последние 5 минут.',
          ),
          unit: 'opm',
          width: 3,
          queries: [{ expr: 'sum(sync_window_operations{$I,window="5m"}) / 5' }],
        },
        {
          kind: 'stat',
          title: words('Pending', 'В ожидании'),
          description: words(
            'Rows with the status pending, all types.',
            'Записи со статусом pending, все типы.',
          ),
          unit: 'short',
          width: 3,
          steps: rising(50, 100),
          queries: [{ expr: 'sum(sync_pending_operations{$I})' }],
        },
        {
          kind: 'stat',
          title: words('Oldest pending', 'Самая старая в ожидании'),
          description: words(
            'Age of the oldest pending row. Empty: nothing waits.',
            'Возраст самой старой записи в ожидании. Пусто: ничего не ждёт.',
          ),
          unit: 's',
          width: 3,
          queries: [{ expr: 'max(sync_pending_oldest_age_seconds{$I})' }],
        },
        {
          kind: 'stat',
          title: words('Alerts firing', 'Активные оповещения'),
          description: words(
            'Rules of the monitor that fire now.',
            'Правила монитора, которые сейчас сработали.',
          ),
          unit: 'short',
          width: 3,
          steps: [
            [null, GREEN],
            [1, RED],
          ],
          queries: [{ expr: 'sum(sync_alert_firing{$I})' }],
        },
        {
          kind: 'stat',
          title: words('Error budget left', 'Остаток бюджета ошибок'),
          description: words(
            'What is left of the errors that the objective allows; below 0 it is overdrawn.',
            'Сколько осталось от ошибок, допустимых по SLO; ниже 0 — перерасход.',
          ),
          unit: 'percentunit',
          width: 3,
          decimals: 1,
          steps: falling(0, 0.25),
          queries: [{ expr: 'sync_slo_error_budget_remaining_ratio{$I}' }],
        },
      ],
    },
    {
      title: words('Traffic', 'Поток'),
      panels: [
        {
          kind: 'stacked',
          title: words('Operations by status', 'Операции по статусам'),
          description: words(
            'Speed at which rows come to a status other than pending.',
            'Скорость, с которой записи получают статус, отличный от pending.',
          ),
          unit: 'ops',
          queries: [
            {
              expr: `sum by (status) (rate(sync_operations_total{$I,${TYPE}}[$__rate_interval]))`,
              legend: '{{status}}',
            },
          ],
        },
        {
          kind: 'stacked',
          title: words('Operations by type', 'Операции по типам'),
          description: words('The same speed by operation type.', 'Та же скорость по типам операций.'),
          unit: 'ops',
          queries: [
            {
              expr: `sum by (operation_type) (rate(sync_operations_total{$I,${TYPE}}[$__rate_interval]))`,
              legend: '{{operation_type}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: words('Errors and successes', 'Ошибки и успехи'),
          description: words(
            'Speed of errors (error and failed) and of successes for the chosen types.',
            'Скорость ошибок (error и failed) и успешных операций по выбранным типам.',
          ),
          unit: 'ops',
          queries: [
            {
              expr: `sum(rate(sync_errors_total{$I,${TYPE}}[$__rate_interval]))`,
              legend: words('errors', 'ошибки'),
            },
            {
              expr: `sum(rate(sync_success_total{$I,${TYPE}}[$__rate_interval]))`,
              legend: words('successes', 'успехи'),
            },
          ],
        },
        {
          kind: 'lines',
          title: words('Error ratio by window', 'Доля ошибок по окнам'),
          description: words(
            'Share of errors in every live window, all types; a gap means that there were no operations.',
            'Доля ошибок в каждом окне, все типы; разрыв — операций не было.',
          ),
          unit: 'percentunit',
          min: 0,
          queries: [{ expr: 'sync_window_error_ratio{$I,operation_type="all"}', legend: '{{window}}' }],
        },
        {
          kind: 'table',
          title: words('By operation type', 'По типам операций'),
          description: words(
            'Operations, errors, error ratio and p95 of the window by type. Empty cells: no operations, or none with a duration.',
            'Операции, ошибки, доля ошибок и p95 за окно по типам. Пустая ячейка: операций не было или без длительности.',
          ),
          unit: 'short',
          by: { label: 'operation_type', title: words('Type', 'Тип') },
          columns: [
            { title: words('Operations', 'Операции'), unit: 'short' },
            { title: words('Errors', 'Ошибки'), unit: 'short' },
            { title: words('Error ratio', 'Доля ошибок'), unit: 'percentunit' },
            { title: words('p95', 'p95'), unit: 's' },
          ],
          queries: [
            {
              expr: `sum by (operation_type) (sync_window_operations{$I,window="$window",${TYPE}})`,
            },
            {
              expr: `sum by (operation_type) (sync_window_operations{$I,window="$window",status=~"error|failed",${TYPE}})`,
            },
            {
              expr: `max by (operation_type) (sync_window_error_ratio{$I,window="$window",operation_type!="all",${TYPE}})`,
            },
            {
              expr: `max by (operation_type) (sync_window_duration_seconds{$I,window="$window",q="0.95",operation_type!="all",${TYPE}})`,
            },
          ],
        },
        {
          kind: 'lines',
          title: words('Error ratio by type', 'Доля ошибок по типам'),
          description: words(
            'Share of errors in the window for each chosen type.',
            'Доля ошибок за окно для каждого выбранного типа.',
          ),
          unit: 'percentunit',
          min: 0,
          queries: [
            {
              expr: `sync_window_error_ratio{$I,window="$window",operation_type!="all",${TYPE}}`,
              legend: '{{operation_type}}',
            },
          ],
        },
      ],
    },
    {
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
    },
    {
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
    },
    {
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
    },
    {
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
    },
  ],
};
