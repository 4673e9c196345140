/** The rows about how much comes and how much of it fails. */
import { falling, GREEN, RED, type RowSpec, rising } from './panel.js';
import { words } from './words.js';

/** The types that are chosen at the top. */
const TYPE = 'operation_type=~"$operation_type"';

export const NOW: RowSpec = {
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
      queries: [{ expr: 'sync_window_duration_seconds{$I,window="$window",operation_type="all",q="0.95"}' }],
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
      description: words('Rows with the status pending, all types.', 'Записи со статусом pending, все типы.'),
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
};

export const TRAFFIC: RowSpec = {
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
};
