/** Words of the business panel in Russian. */
import type { Messages } from '../en.js';

export const business: Messages['business'] = {
  customers: 'Синхронизировано клиентов',
  registrations: 'Новых регистраций',
  imports: 'Импортов из 1С',
  mails: 'Писем администраторам',
  conflicts: 'Конфликтов',
  resolved: 'Разрешено',
  autoResolution: 'Разрешено автоматически',
  bySource: 'Разрешённые конфликты по источнику',
  byMethod: 'Идентификации по способу',
  noConflicts: 'В этом периоде конфликты не разрешались.',
  noIdentifications: 'В этом периоде никого не идентифицировали.',
  more: (n) => `ещё ${n}`,
  automation: 'Сэкономлено автоматизацией',
  time: 'Рабочее время',
  hours: (n) => `${n} ч`,
  money: 'Деньги',
  moneyOff: 'не настроено (HOUR_COST)',
  failed: 'Не удалось прочитать бизнес-показатели этого периода:',
  sources: {
    portal_registration: 'Регистрация на портале',
    data_import: 'Импорт данных',
    unknown: 'Не указан',
    other: 'Прочие',
  },
  methods: {
    onec_id: 'Идентификатор 1С',
    onec_guid: 'GUID 1С',
    tax_id: 'ИНН',
    email: 'Эл. почта',
    unknown: 'Не указан',
    other: 'Прочие',
  },
};
