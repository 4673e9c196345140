/** What keeps the synchronisation and the monitor itself running: components, Celery, the reader, the process. */
import { CELERY } from './health-celery.js';
import { COMPONENTS } from './health-components.js';
import { INSIDE } from './health-inside.js';
import { NUMBERS, PROCESS } from './health-numbers.js';
import type { DashboardSpec } from './panel.js';
import { words } from './words.js';

export const HEALTH: DashboardSpec = {
  file: 'customer-sync-health',
  uid: 'customer-sync-health',
  title: words('Customer sync: system health', 'Синхронизация клиентов: состояние системы'),
  description: words(
    'Components, Celery, and the monitor itself: how fresh and how complete its numbers are.',
    'Компоненты, Celery и сам монитор: насколько свежи и полны его числа.',
  ),
  variables: [],
  rows: [COMPONENTS, CELERY, NUMBERS, INSIDE, PROCESS],
};
