/** The rows about what the synchronisation stands on. */
import { GREEN, RED, type RowSpec, rising } from './panel.js';
import { words } from './words.js';

export const COMPONENTS: RowSpec = {
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
      description: words('Memory in use on the host of the monitor.', 'Занятая память на хосте монитора.'),
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
};
