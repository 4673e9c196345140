/** How far the numbers can be believed, and the process that makes them. */
import { GREEN, RED, type RowSpec } from './panel.js';
import { words } from './words.js';

const rate = (metric: string) => `sum(rate(${metric}{$I}[$__rate_interval]))`;

export const NUMBERS: RowSpec = {
  title: words('How fresh and complete the numbers are', 'Свежесть и полнота чисел'),
  panels: [
    {
      kind: 'states',
      title: words('Role, bell and completeness', 'Роль, звонок и полнота'),
      description: words(
        'What this process is, how it learns of new rows, and whether its numbers are complete: the states that hold.',
        'Чем является процесс, как узнаёт о новых записях и полны ли его числа: действующие состояния.',
      ),
      unit: 'none',
      states: {
        '0': { text: words('no', 'нет'), color: 'transparent' },
        '1': { text: words('yes', 'да'), color: GREEN },
      },
      queries: [
        { expr: 'sync_monitor_role{$I} == 1', legend: words('role: {{role}}', 'роль: {{role}}') },
        { expr: 'sync_monitor_bell_mode{$I} == 1', legend: words('bell: {{mode}}', 'звонок: {{mode}}') },
        {
          expr: 'sync_monitor_completeness_state{$I} == 1',
          legend: words('numbers: {{state}}', 'числа: {{state}}'),
        },
        {
          expr: 'sync_monitor_history_state{$I} == 1',
          legend: words('history: {{state}}', 'история: {{state}}'),
        },
      ],
    },
    {
      kind: 'states',
      title: words('Connections of the monitor', 'Связь монитора'),
      description: words(
        'Whether the database answers and the listener has proved itself.',
        'Отвечает ли база и подтверждён ли слушатель.',
      ),
      unit: 'none',
      states: {
        '0': { text: words('no', 'нет'), color: RED },
        '1': { text: words('yes', 'да'), color: GREEN },
      },
      queries: [
        { expr: 'sync_monitor_database_connected{$I}', legend: words('database', 'база') },
        { expr: 'sync_monitor_listener_proven{$I}', legend: words('listener', 'слушатель') },
      ],
    },
    {
      kind: 'heatmap',
      title: words('From row to fold', 'От записи до учёта'),
      description: words(
        "From a row's created_at, by the writer's clock, to the moment it was counted.",
        'От created_at записи (часы пишущего) до момента учёта.',
      ),
      unit: 's',
      queries: [
        {
          expr: 'sum by (le) (increase(sync_monitor_fold_lag_seconds_bucket{$I}[$__rate_interval]))',
          legend: '{{le}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Lag', 'Отставание'),
      description: words(
        'p99 from row to fold, time since the monitor last had everything, age of the oldest unsettled id, and the skew of the clocks.',
        'p99 от записи до учёта, время с последнего полного состояния, возраст старейшего неустановленного id и расхождение часов.',
      ),
      unit: 's',
      queries: [
        {
          expr: 'histogram_quantile(0.99, sum by (le) (rate(sync_monitor_fold_lag_seconds_bucket{$I}[$__rate_interval])))',
          legend: words('row to fold, p99', 'от записи до учёта, p99'),
        },
        { expr: 'sync_monitor_lag_seconds{$I}', legend: words('lag', 'отставание') },
        { expr: 'sync_monitor_seal_lag_seconds{$I}', legend: words('unsettled', 'неустановленное') },
        { expr: 'sync_monitor_clock_skew_seconds{$I}', legend: words('clock skew', 'расхождение часов') },
      ],
    },
    {
      kind: 'lines',
      title: words('Completeness', 'Полнота'),
      description: words(
        'Known rows over rows that ought to be there, agreement of history with the table, and progress of the backfill.',
        'Известные записи к ожидаемым, согласие истории с таблицей и ход начальной загрузки.',
      ),
      unit: 'percentunit',
      max: 1,
      queries: [
        { expr: 'sync_monitor_completeness_ratio{$I}', legend: words('complete', 'полнота') },
        { expr: 'sync_monitor_audit_agreement_ratio{$I}', legend: words('agreement', 'согласие') },
        { expr: 'sync_monitor_backfill_ratio{$I}', legend: words('backfill', 'загрузка') },
      ],
    },
    {
      kind: 'lines',
      title: words('Looks, bells and rows', 'Опросы, звонки и записи'),
      description: words(
        'Looks for new rows, notifications heard, rows read, and rows read by the backfill, per second.',
        'Опросы новых записей, услышанные звонки, прочитанные записи и записи начальной загрузки, в секунду.',
      ),
      unit: 'ops',
      queries: [
        { expr: rate('sync_monitor_polls_total'), legend: words('looks', 'опросы') },
        { expr: rate('sync_monitor_bells_total'), legend: words('bells', 'звонки') },
        { expr: rate('sync_monitor_rows_read_total'), legend: words('rows', 'записи') },
        {
          expr: 'sum(sync_monitor_backfill_rows_per_second{$I})',
          legend: words('backfill', 'загрузка'),
        },
      ],
    },
  ],
};

export const PROCESS: RowSpec = {
  title: words('Process', 'Процесс'),
  collapsed: true,
  panels: [
    {
      kind: 'lines',
      title: words('CPU of the process', 'Процессор процесса'),
      description: words(
        'Processor seconds per second; 1 is one core.',
        'Секунд процессора в секунду; 1 — одно ядро.',
      ),
      unit: 'percentunit',
      width: 8,
      min: 0,
      queries: [
        {
          expr: 'rate(process_cpu_seconds_total{$I}[$__rate_interval])',
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Memory of the process', 'Память процесса'),
      description: words('Resident memory and the used heap.', 'Резидентная память и занятая куча.'),
      unit: 'bytes',
      width: 8,
      min: 0,
      queries: [
        {
          expr: 'process_resident_memory_bytes{$I}',
          legend: words('resident', 'резидентная'),
        },
        { expr: 'nodejs_heap_size_used_bytes{$I}', legend: words('heap', 'куча') },
      ],
    },
    {
      kind: 'lines',
      title: words('Event loop and garbage collection', 'Цикл событий и сборка мусора'),
      description: words(
        'p99 of the delay of the event loop, and seconds of garbage collection per second.',
        'p99 задержки цикла событий и секунд сборки мусора в секунду.',
      ),
      unit: 's',
      width: 8,
      min: 0,
      queries: [
        { expr: 'nodejs_eventloop_lag_p99_seconds{$I}', legend: words('delay p99', 'задержка p99') },
        {
          expr: 'sum(rate(nodejs_gc_duration_seconds_sum{$I}[$__rate_interval]))',
          legend: words('collection', 'сборка'),
        },
      ],
    },
  ],
};
