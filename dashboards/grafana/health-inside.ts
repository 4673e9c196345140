/** The row for those who look into the monitor itself. */
import { GREEN, RED, type RowSpec, YELLOW } from './panel.js';
import { words } from './words.js';

const rate = (metric: string) => `sum(rate(${metric}{$I}[$__rate_interval]))`;

export const INSIDE: RowSpec = {
  title: words('Inside the monitor', 'Внутри монитора'),
  collapsed: true,
  panels: [
    {
      kind: 'lines',
      title: words('Ids', 'Идентификаторы'),
      description: words(
        'The id up to which everything is settled, and the highest that was looked at.',
        'До какого id всё установлено и какой был просмотрен последним.',
      ),
      unit: 'none',
      queries: [
        { expr: 'sync_monitor_sealed_id{$I}', legend: words('settled', 'установлено') },
        { expr: 'sync_monitor_high_id{$I}', legend: words('looked at', 'просмотрено') },
      ],
    },
    {
      kind: 'lines',
      title: words('Rows and ids that are followed', 'Отслеживаемые записи и id'),
      description: words(
        'Unsettled ids, pending rows inside and beyond the bound, rows from the future, rows beyond the sequence.',
        'Неустановленные id, ожидающие записи в пределах и сверх границы, записи из будущего и сверх последовательности.',
      ),
      unit: 'short',
      queries: [
        { expr: 'sync_monitor_unsealed_ids{$I}', legend: words('unsettled ids', 'неустановленные id') },
        { expr: 'sync_monitor_pending_tracked{$I}', legend: words('pending', 'ожидающие') },
        {
          expr: 'sync_monitor_pending_untracked{$I}',
          legend: words('beyond the bound', 'сверх границы'),
        },
        { expr: 'sync_monitor_future_rows{$I}', legend: words('from the future', 'из будущего') },
        {
          expr: 'sync_monitor_ahead_rows{$I}',
          legend: words('beyond the sequence', 'сверх последовательности'),
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Disturbances', 'Помехи'),
      description: words(
        'Listeners thrown away, rebuilds, rows left to the audit, failed flushes and audits, types and statuses beyond the bound: growth in each step of the graph.',
        'Пересоздания слушателя, перестроения, записи, оставленные аудиту, сбои записи и аудита, типы и статусы сверх границы: прирост за шаг графика.',
      ),
      unit: 'short',
      queries: [
        { metric: 'sync_monitor_listener_restarts_total', legend: words('listeners', 'слушатели') },
        { metric: 'sync_monitor_resets_total', legend: words('rebuilds', 'перестроения') },
        { metric: 'sync_monitor_given_up_total', legend: words('left to the audit', 'оставлено аудиту') },
        { metric: 'sync_monitor_flush_failures_total', legend: words('failed flushes', 'сбои записи') },
        { metric: 'sync_monitor_audit_failures_total', legend: words('failed audits', 'сбои аудита') },
        { metric: 'sync_monitor_other_types_total', legend: words('other types', 'прочие типы') },
        {
          metric: 'sync_monitor_other_statuses_total',
          legend: words('other statuses', 'прочие статусы'),
        },
      ].map(({ metric, legend }) => ({
        expr: `sum(increase(${metric}{$I}[$__rate_interval]))`,
        legend,
      })),
    },
    {
      kind: 'lines',
      title: words('Notification queue', 'Очередь уведомлений'),
      description: words(
        "Use of the database cluster's notification queue.",
        'Заполнение очереди уведомлений кластера базы.',
      ),
      unit: 'percentunit',
      min: 0,
      steps: [
        [null, GREEN],
        [0.01, YELLOW],
        [0.5, RED],
      ],
      queries: [{ expr: 'sync_monitor_notification_queue_usage_ratio{$I}', legend: words('used', 'занято') }],
    },
    {
      kind: 'lines',
      title: words('Flush', 'Запись истории'),
      description: words(
        'How long the last flush of history took, and how long ago it was.',
        'Сколько длилась последняя запись истории и как давно она была.',
      ),
      unit: 's',
      queries: [
        { expr: 'sync_monitor_flush_seconds{$I}', legend: words('took', 'длилась') },
        {
          expr: 'time() - sync_monitor_flush_timestamp_seconds{$I}',
          legend: words('ago', 'назад'),
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Rows of history', 'Строки истории'),
      description: words(
        'Rows flushed per second, and rows that the next flush will write.',
        'Записано строк в секунду и сколько запишет следующая запись.',
      ),
      unit: 'short',
      queries: [
        { expr: rate('sync_monitor_flush_rows_total'), legend: words('per second', 'в секунду') },
        { expr: 'sync_monitor_unflushed_rows{$I}', legend: words('waiting', 'ожидают') },
      ],
    },
    {
      kind: 'lines',
      title: words('Audit', 'Аудит'),
      description: words(
        'Differences between history and table that were found and mended, by kind, and rounds by age of the rows.',
        'Найденные и исправленные расхождения истории с таблицей по видам и проходы по возрасту записей.',
      ),
      unit: 'short',
      queries: [
        {
          expr: 'sum by (kind) (increase(sync_monitor_audit_finds_total{$I}[$__rate_interval]))',
          legend: words('found: {{kind}}', 'найдено: {{kind}}'),
        },
        {
          expr: 'sum by (part) (increase(sync_monitor_audit_rounds_total{$I}[$__rate_interval]))',
          legend: words('rounds: {{part}}', 'проходы: {{part}}'),
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Age of the numbers', 'Возраст чисел'),
      description: words(
        'Time since the newest snapshot and since the last step of the audit.',
        'Время с последнего снимка и с последнего шага аудита.',
      ),
      unit: 's',
      queries: [
        {
          expr: 'time() - sync_monitor_snapshot_timestamp_seconds{$I}',
          legend: words('snapshot', 'снимок'),
        },
        {
          expr: 'time() - sync_monitor_audit_last_timestamp_seconds{$I}',
          legend: words('audit', 'аудит'),
        },
      ],
    },
    {
      kind: 'lines',
      title: words('WebSocket clients', 'Клиенты WebSocket'),
      description: words('Who watches the page or the feed now.', 'Кто сейчас смотрит страницу или ленту.'),
      unit: 'short',
      queries: [{ expr: 'sync_monitor_websocket_clients{$I}', legend: words('clients', 'клиенты') }],
    },
    {
      kind: 'lines',
      title: words('What clients lost', 'Потери клиентов'),
      description: words(
        'Events lost, snapshots skipped, faulty messages and clients cut off, in each step of the graph.',
        'Потерянные события, пропущенные снимки, ошибочные сообщения и отключённые клиенты, за каждый шаг графика.',
      ),
      unit: 'short',
      queries: [
        {
          expr: 'sum(increase(sync_monitor_websocket_dropped_events_total{$I}[$__rate_interval]))',
          legend: words('events', 'события'),
        },
        {
          expr: 'sum(increase(sync_monitor_websocket_skipped_snapshots_total{$I}[$__rate_interval]))',
          legend: words('snapshots', 'снимки'),
        },
        {
          expr: 'sum(increase(sync_monitor_websocket_faults_total{$I}[$__rate_interval]))',
          legend: words('faults', 'ошибки'),
        },
        {
          expr: 'sum by (reason) (increase(sync_monitor_websocket_cut_off_total{$I}[$__rate_interval]))',
          legend: words('cut off: {{reason}}', 'отключены: {{reason}}'),
        },
      ],
    },
    {
      kind: 'stat',
      title: words('Warnings', 'Предупреждения'),
      description: words(
        'Assumptions about the table that do not hold; the health answer says which.',
        'Предположения о таблице, которые не выполняются; какие — в ответе health.',
      ),
      unit: 'short',
      width: 6,
      height: 8,
      steps: [
        [null, GREEN],
        [1, YELLOW],
      ],
      queries: [{ expr: 'max(sync_monitor_warnings{$I})' }],
    },
    {
      kind: 'stat',
      title: words('Version', 'Версия'),
      description: words('Monitors by version.', 'Мониторы по версиям.'),
      unit: 'none',
      width: 6,
      height: 8,
      queries: [{ expr: 'count by (version) (sync_monitor_info{$I})', legend: '{{version}}' }],
    },
  ],
};
