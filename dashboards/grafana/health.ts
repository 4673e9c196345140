/** What keeps the synchronisation and the monitor itself running: components, Celery, the reader, the process. */
import { type DashboardSpec, GREEN, RED, rising, YELLOW } from './panel.js';
import { words } from './words.js';

const rate = (metric: string) => `sum(rate(${metric}{$I}[$__rate_interval]))`;

export const HEALTH: DashboardSpec = {
  file: 'customer-sync-health',
  uid: 'customer-sync-health',
  title: words('Customer sync: system health', 'Синхронизация клиентов: состояние системы'),
  description: words(
    'Components, Celery, and the monitor itself: how fresh and how complete its numbers are.',
    'Компоненты, Celery и сам монитор: насколько свежи и полны его числа.',
  ),
  variables: [],
  rows: [
    {
      title: words('Components', 'Компоненты'),
      panels: [
        {
          kind: 'states',
          title: words('Components up', 'Доступность компонентов'),
          description: words(
            'Whether each configured component answers; one that is not configured has no line.',
            'Отвечает ли каждый настроенный компонент; ненастроенный не показан.',
          ),
          unit: 'none',
          states: {
            '0': { text: words('down', 'недоступен'), color: RED },
            '1': { text: words('up', 'работает'), color: GREEN },
          },
          queries: [{ expr: 'sync_component_up{$I}', legend: '{{component}}' }],
        },
        {
          kind: 'lines',
          title: words('Response time', 'Время ответа'),
          description: words(
            'How long the last check of each component took.',
            'Сколько длилась последняя проверка каждого компонента.',
          ),
          unit: 's',
          queries: [{ expr: 'sync_component_response_seconds{$I}', legend: '{{component}}' }],
        },
        {
          kind: 'lines',
          title: words('Disk', 'Диск'),
          description: words('Use of the disk that is watched.', 'Заполнение наблюдаемого диска.'),
          unit: 'percentunit',
          width: 6,
          min: 0,
          max: 1,
          steps: rising(0.8, 0.9),
          queries: [{ expr: 'sync_disk_used_ratio{$I}', legend: words('used', 'занято') }],
        },
        {
          kind: 'lines',
          title: words('Database connections', 'Соединения с базой'),
          description: words(
            'Connections of the database server by state, and how many it allows.',
            'Соединения сервера базы по состояниям и допустимый максимум.',
          ),
          unit: 'short',
          width: 6,
          min: 0,
          queries: [
            { expr: 'sum by (state) (sync_db_connections{$I})', legend: '{{state}}' },
            { expr: 'max(sync_db_connections_max{$I})', legend: words('maximum', 'максимум') },
          ],
        },
        {
          kind: 'lines',
          title: words('Memory of the host', 'Память хоста'),
          description: words(
            'Memory in use on the host of the monitor.',
            'Занятая память на хосте монитора.',
          ),
          unit: 'bytes',
          width: 6,
          min: 0,
          queries: [{ expr: 'sync_host_memory_used_bytes{$I}', legend: words('used', 'занято') }],
        },
        {
          kind: 'lines',
          title: words('CPU of the host', 'Процессор хоста'),
          description: words(
            'Share of all processors of the host that is busy.',
            'Занятая доля всех процессоров хоста.',
          ),
          unit: 'percentunit',
          width: 6,
          min: 0,
          max: 1,
          queries: [{ expr: 'sync_host_cpu_ratio{$I}', legend: words('busy', 'занято') }],
        },
      ],
    },
    {
      title: words('Celery', 'Celery'),
      panels: [
        {
          kind: 'stat',
          title: words('Workers online', 'Воркеры в сети'),
          description: words(
            'Celery workers whose heartbeat came in time.',
            'Воркеры Celery, чей heartbeat пришёл вовремя.',
          ),
          unit: 'short',
          width: 4,
          height: 8,
          steps: [
            [null, RED],
            [1, GREEN],
          ],
          queries: [{ expr: 'max(celery_workers_online{$I})' }],
        },
        {
          kind: 'lines',
          title: words('Queues', 'Очереди'),
          description: words('Tasks that wait in each queue.', 'Задачи, ожидающие в каждой очереди.'),
          unit: 'short',
          width: 6,
          queries: [{ expr: 'max by (queue) (celery_queue_length{$I})', legend: '{{queue}}' }],
        },
        {
          kind: 'lines',
          title: words('Tasks by state', 'Задачи по состояниям'),
          description: words(
            'Speed at which tasks come to each state.',
            'Скорость, с которой задачи приходят в каждое состояние.',
          ),
          unit: 'ops',
          width: 7,
          queries: [
            {
              expr: 'sum by (state) (rate(celery_tasks_total{$I}[$__rate_interval]))',
              legend: '{{state}}',
            },
          ],
        },
        {
          kind: 'lines',
          title: words('Runtime p95 by task', 'Время выполнения p95 по задачам'),
          description: words(
            'From the histogram of run times of successful tasks.',
            'По гистограмме времени выполнения успешных задач.',
          ),
          unit: 's',
          width: 7,
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le, task) (rate(celery_task_runtime_seconds_bucket{$I}[$__rate_interval])))',
              legend: '{{task}}',
            },
          ],
        },
      ],
    },
    {
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
    },
    {
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
          queries: [
            { expr: 'sync_monitor_notification_queue_usage_ratio{$I}', legend: words('used', 'занято') },
          ],
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
          description: words(
            'Who watches the page or the feed now.',
            'Кто сейчас смотрит страницу или ленту.',
          ),
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
    },
    {
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
    },
  ],
};
