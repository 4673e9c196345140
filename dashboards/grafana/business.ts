/** What stakeholders look at: customers, conflicts, identifications, and what automation saves. */
import { type DashboardSpec, falling } from './panel.js';
import { words } from './words.js';

const range = (metric: string) => `sum(increase(${metric}{$I}[$__range]))`;
const step = (metric: string, by: string) => `sum by (${by}) (increase(${metric}{$I}[$__rate_interval]))`;

export const BUSINESS: DashboardSpec = {
  file: 'customer-sync-business',
  uid: 'customer-sync-business',
  title: words('Customer sync: business', 'Синхронизация клиентов: бизнес'),
  description: words(
    'What the synchronisation does for customers and staff: registrations, imports, conflicts, saved work.',
    'Что синхронизация даёт клиентам и сотрудникам: регистрации, импорт, конфликты, сэкономленная работа.',
  ),
  variables: ['window'],
  rows: [
    {
      title: words('Chosen period', 'Выбранный период'),
      panels: [
        {
          kind: 'stat',
          title: words('Customers synced', 'Синхронизировано клиентов'),
          description: words(
            'Distinct customers of successful operations in the window.',
            'Разные клиенты успешных операций за окно.',
          ),
          unit: 'short',
          width: 4,
          queries: [{ expr: 'sync_customers_synced{$I,window="$window"}' }],
        },
        {
          kind: 'stat',
          title: words('New registrations', 'Новые регистрации'),
          description: words(
            'Successful exports to 1C in the period of the dashboard.',
            'Успешные экспорты в 1С за период дашборда.',
          ),
          unit: 'short',
          width: 4,
          decimals: 0,
          queries: [{ expr: range('sync_registrations_total') }],
        },
        {
          kind: 'stat',
          title: words('Imports from 1C', 'Импорт из 1С'),
          description: words(
            'Successful imports from 1C in the period of the dashboard.',
            'Успешные импорты из 1С за период дашборда.',
          ),
          unit: 'short',
          width: 4,
          decimals: 0,
          queries: [{ expr: range('sync_imports_total') }],
        },
        {
          kind: 'stat',
          title: words('Mails to admins', 'Письма администраторам'),
          description: words(
            'Notifications that were mailed to admins in the period of the dashboard.',
            'Уведомления, отправленные администраторам за период дашборда.',
          ),
          unit: 'short',
          width: 4,
          decimals: 0,
          queries: [{ expr: range('sync_admin_mails_total') }],
        },
        {
          kind: 'stat',
          title: words('Resolved automatically', 'Решено автоматически'),
          description: words(
            'Resolved conflicts over all conflicts of the window. Empty: there were no conflicts.',
            'Доля решённых конфликтов за окно. Пусто: конфликтов не было.',
          ),
          unit: 'percentunit',
          width: 4,
          decimals: 1,
          steps: falling(0.7, 0.9),
          queries: [{ expr: 'sync_auto_resolution_ratio{$I,window="$window"}' }],
        },
        {
          kind: 'stat',
          title: words('Work saved', 'Сэкономлено работы'),
          description: words(
            'Manual work that resolved conflicts saved in the period of the dashboard.',
            'Ручная работа, сэкономленная на решённых конфликтах за период дашборда.',
          ),
          unit: 's',
          width: 4,
          decimals: 1,
          queries: [{ expr: range('sync_automation_saved_seconds_total') }],
        },
      ],
    },
    {
      title: words('Customers', 'Клиенты'),
      panels: [
        {
          kind: 'lines',
          title: words('Customers synced by window', 'Клиенты по окнам'),
          description: words(
            'Distinct customers of successful operations in every window.',
            'Разные клиенты успешных операций в каждом окне.',
          ),
          unit: 'short',
          queries: [{ expr: 'sync_customers_synced{$I}', legend: '{{window}}' }],
        },
        {
          kind: 'lines',
          title: words('Registrations and imports', 'Регистрации и импорт'),
          description: words(
            'Successful exports to 1C and imports from it, per minute.',
            'Успешные экспорты в 1С и импорты из неё, в минуту.',
          ),
          unit: 'opm',
          queries: [
            {
              expr: 'sum(rate(sync_registrations_total{$I}[$__rate_interval])) * 60',
              legend: words('registrations', 'регистрации'),
            },
            {
              expr: 'sum(rate(sync_imports_total{$I}[$__rate_interval])) * 60',
              legend: words('imports', 'импорт'),
            },
          ],
        },
        {
          kind: 'pie',
          title: words('How customers were identified', 'Как находили клиентов'),
          description: words(
            'Successful identifications by method in the period of the dashboard.',
            'Успешные идентификации по способам за период дашборда.',
          ),
          unit: 'short',
          queries: [
            {
              expr: 'sum by (method) (increase(sync_identifications_total{$I}[$__range]))',
              legend: '{{method}}',
            },
          ],
        },
        {
          kind: 'stacked',
          title: words('Identifications', 'Идентификации'),
          description: words(
            'Successful identifications by method, in each step of the graph.',
            'Успешные идентификации по способам, за каждый шаг графика.',
          ),
          unit: 'short',
          queries: [{ expr: step('sync_identifications_total', 'method'), legend: '{{method}}' }],
        },
      ],
    },
    {
      title: words('Conflicts', 'Конфликты'),
      panels: [
        {
          kind: 'lines',
          title: words('Conflicts', 'Конфликты'),
          description: words(
            'All conflicts and resolved ones, in each step of the graph.',
            'Все конфликты и решённые, за каждый шаг графика.',
          ),
          unit: 'short',
          queries: [
            {
              expr: 'sum(increase(sync_conflicts_total{$I}[$__rate_interval]))',
              legend: words('all', 'все'),
            },
            {
              expr: 'sum(increase(sync_conflicts_resolved_total{$I}[$__rate_interval]))',
              legend: words('resolved', 'решённые'),
            },
          ],
        },
        {
          kind: 'stacked',
          title: words('Resolved by source', 'Решено по источникам'),
          description: words(
            'Resolved conflicts by where they came from, in each step of the graph.',
            'Решённые конфликты по источникам, за каждый шаг графика.',
          ),
          unit: 'short',
          queries: [{ expr: step('sync_conflicts_resolved_total', 'source'), legend: '{{source}}' }],
        },
        {
          kind: 'lines',
          title: words('Automatic resolution', 'Автоматическое решение'),
          description: words(
            'Resolved conflicts over all conflicts in every window; a gap: no conflicts.',
            'Доля решённых конфликтов в каждом окне; разрыв — конфликтов не было.',
          ),
          unit: 'percentunit',
          min: 0,
          max: 1,
          queries: [{ expr: 'sync_auto_resolution_ratio{$I}', legend: '{{window}}' }],
        },
        {
          kind: 'lines',
          title: words('Work saved', 'Сэкономлено работы'),
          description: words(
            'Manual work saved since the monitor was started (a restart begins at 0 again).',
            'Сэкономленная ручная работа с момента запуска монитора (после перезапуска — снова с 0).',
          ),
          unit: 's',
          queries: [
            {
              expr: 'sum(sync_automation_saved_seconds_total{$I})',
              legend: words('saved', 'сэкономлено'),
            },
          ],
        },
      ],
    },
  ],
};
