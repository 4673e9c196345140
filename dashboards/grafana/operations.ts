/** What the engineer on call looks at: traffic, errors, durations, the queue, objective and alerts. */
import { DURATIONS, LONGER, OBJECTIVE, QUEUE } from './operations-more.js';
import { NOW, TRAFFIC } from './operations-traffic.js';
import type { DashboardSpec } from './panel.js';
import { words } from './words.js';

export const OPERATIONS: DashboardSpec = {
  file: 'customer-sync-dashboard',
  uid: 'customer-sync-operations',
  title: words('Customer sync: operations', 'Синхронизация клиентов: операции'),
  description: words(
    'Operations between the portal and 1C: how many, how many fail, how long they take, what waits.',
    'Операции между порталом и 1С: сколько их, сколько с ошибкой, сколько длятся и сколько ждут.',
  ),
  variables: ['window', 'operation_type'],
  rows: [NOW, TRAFFIC, DURATIONS, QUEUE, OBJECTIVE, LONGER],
};
