/** The row about Celery, out of what its workers tell over the broker. */
import { GREEN, RED, type RowSpec } from './panel.js';
import { type Words, words } from './words.js';

const p95 = (metric: string, by: string) =>
  `histogram_quantile(0.95, sum by (le, ${by}) (rate(${metric}_bucket{$I}[$__rate_interval])))`;

/** Why counts of Celery may be too small, and what each is called. */
const NOT_HEARD: readonly (readonly [metric: string, legend: Words])[] = [
  ['celery_interruptions_total', words('interruptions', 'обрывы')],
  ['celery_deaf_seconds_total', words('seconds without a connection', 'секунды без связи')],
  ['celery_events_unreadable_total', words('unreadable', 'нечитаемые')],
  ['celery_task_names_forgotten_total', words('forgotten names', 'забытые имена')],
  ['celery_task_names_other_total', words('names beyond the bound', 'имена сверх границы')],
  ['celery_workers_not_kept_total', words('workers beyond the bound', 'воркеры сверх границы')],
  ['celery_waits_not_measured_total', words('waits not measured', 'неизмеренные ожидания')],
];

export const CELERY: RowSpec = {
  title: words('Celery', 'Celery'),
  panels: [
    {
      kind: 'stat',
      title: words('Workers online', 'Воркеры в сети'),
      description: words(
        'Celery workers whose heartbeat came in time, or who answered the last ping.',
        'Воркеры Celery, чей heartbeat пришёл вовремя или которые ответили на последний ping.',
      ),
      unit: 'short',
      steps: [
        [null, RED],
        [1, GREEN],
      ],
      queries: [{ expr: 'max(celery_workers_online{$I})' }],
    },
    {
      kind: 'stat',
      title: words('On their way', 'В работе'),
      description: words(
        'Tasks that a worker has and whose end was not heard yet.',
        'Задачи у воркеров, об окончании которых ещё не сообщалось.',
      ),
      unit: 'short',
      queries: [{ expr: 'max(celery_tasks_on_their_way{$I})' }],
    },
    {
      kind: 'states',
      title: words('Broker', 'Брокер'),
      description: words('Whether the broker of Celery answers.', 'Отвечает ли брокер Celery.'),
      unit: 'none',
      width: 16,
      height: 4,
      states: {
        '0': { text: words('down', 'недоступен'), color: RED },
        '1': { text: words('up', 'работает'), color: GREEN },
      },
      queries: [{ expr: 'celery_broker_up{$I}', legend: words('broker', 'брокер') }],
    },
    {
      kind: 'lines',
      title: words('Queues', 'Очереди'),
      description: words('Tasks that wait in each queue.', 'Задачи, ожидающие в каждой очереди.'),
      unit: 'short',
      width: 8,
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
      width: 8,
      queries: [
        {
          expr: 'sum by (state) (rate(celery_tasks_total{$I}[$__rate_interval]))',
          legend: '{{state}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: words('Run time p95 by task', 'Время выполнения p95 по задачам'),
      description: words('Of the tasks that succeeded.', 'Успешно выполненных задач.'),
      unit: 's',
      width: 8,
      queries: [{ expr: p95('celery_task_runtime_seconds', 'task'), legend: '{{task}}' }],
    },
    {
      kind: 'lines',
      title: words('Waiting p95', 'Ожидание p95'),
      description: words(
        'From being received by a worker to being started, by task; and from being in the queue to being received, by queue (a sample).',
        'От получения воркером до запуска, по задачам; и от постановки в очередь до получения, по очередям (выборка).',
      ),
      unit: 's',
      queries: [
        {
          expr: p95('celery_task_waiting_seconds', 'task'),
          legend: words('at the worker: {{task}}', 'у воркера: {{task}}'),
        },
        {
          expr: p95('celery_queue_waiting_seconds', 'queue'),
          legend: words('in the queue: {{queue}}', 'в очереди: {{queue}}'),
        },
      ],
    },
    {
      kind: 'lines',
      title: words('What was not heard of Celery', 'Что не услышано от Celery'),
      description: words(
        'Why the numbers of Celery may be too small: growth in each step of the graph.',
        'Почему числа Celery могут быть занижены: прирост за шаг графика.',
      ),
      unit: 'short',
      queries: NOT_HEARD.map(([metric, legend]) => ({
        expr: `sum(increase(${metric}{$I}[$__rate_interval]))`,
        legend,
      })),
    },
  ],
};
