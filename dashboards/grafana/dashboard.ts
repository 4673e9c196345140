/** A dashboard around its panels: variables, links between the three, and alerts as annotations. */
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { BUSINESS } from './business.js';
import { HEALTH } from './health.js';
import { OPERATIONS } from './operations.js';
import type { DashboardSpec } from './panel.js';
import { DATA_SOURCE, panelBuilder } from './panel-builders.js';
import { LOCALES, type Locale, words } from './words.js';

export const DASHBOARDS: readonly DashboardSpec[] = [OPERATIONS, BUSINESS, HEALTH];

/** Links between the dashboards find the others of the same language by it. */
const tagOf = (locale: Locale) => (locale === 'en' ? 'customer-sync' : `customer-sync-${locale}`);

const TEXTS = {
  source: words('Data source', 'Источник данных'),
  monitor: words('Monitor', 'Монитор'),
  window: words('Window', 'Окно'),
  type: words('Operation type', 'Тип операции'),
  all: words('All', 'Все'),
  dashboards: words('Dashboards', 'Дашборды'),
  alerts: words('Alerts of the monitor', 'Оповещения монитора'),
  prometheusAlerts: words('Alerts of Prometheus', 'Оповещения Prometheus'),
};

/** Every dashboard in every language: the name of its file, and what is in it. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const spec of DASHBOARDS) {
    for (const locale of LOCALES) {
      const suffix = locale === 'en' ? '' : `.${locale}`;
      files.set(
        `${spec.file}${suffix}.json`,
        `${JSON.stringify(dashboardOf(spec, locale).build(), null, 2)}\n`,
      );
    }
  }
  return files;
}

function dashboardOf(spec: DashboardSpec, locale: Locale): dashboard.DashboardBuilder {
  const builder = new dashboard.DashboardBuilder(spec.title[locale])
    .uid(locale === 'en' ? spec.uid : `${spec.uid}-${locale}`)
    .description(spec.description[locale])
    .tags([tagOf(locale)])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables(variables(spec, locale))
    .annotations(annotations(locale))
    .link(
      new dashboard.DashboardLinkBuilder(TEXTS.dashboards[locale])
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags([tagOf(locale)])
        .icon('external link')
        .includeVars(true)
        .keepTime(true),
    );
  let id = 0;
  for (const row of spec.rows) {
    id += 1;
    const made = new dashboard.RowBuilder(row.title[locale]).id(id).collapsed(row.collapsed ?? false);
    const panels = row.panels.map((panel) => {
      id += 1;
      return panelBuilder(panel, id, locale);
    });
    // A collapsed row holds its panels itself; those of an open one follow it.
    if (row.collapsed) for (const panel of panels) made.withPanel(panel);
    builder.withRow(made);
    if (!row.collapsed) for (const panel of panels) builder.withPanel(panel);
  }
  return builder;
}

function variables({ variables: wanted }: DashboardSpec, locale: Locale) {
  const window = new dashboard.CustomVariableBuilder('window')
    .label(TEXTS.window[locale])
    .values('1m,5m,1h,24h')
    .current({ selected: true, text: '1h', value: '1h' })
    .options(['1m', '5m', '1h', '24h'].map((name) => ({ text: name, value: name, selected: name === '1h' })));
  const type = labelValues('operation_type', 'sync_window_operations{instance=~"$instance"}', locale)
    .label(TEXTS.type[locale])
    .sort(dashboard.VariableSort.AlphabeticalAsc);
  return [
    new dashboard.DatasourceVariableBuilder('datasource').label(TEXTS.source[locale]).type('prometheus'),
    labelValues('instance', 'sync_monitor_info', locale).label(TEXTS.monitor[locale]),
    ...(wanted.includes('window') ? [window] : []),
    ...(wanted.includes('operation_type') ? [type] : []),
  ];
}

function labelValues(label: string, series: string, locale: Locale): dashboard.QueryVariableBuilder {
  const query = `label_values(${series}, ${label})`;
  return new dashboard.QueryVariableBuilder(label)
    .datasource(DATA_SOURCE)
    .query({ query, refId: label })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: [TEXTS.all[locale]], value: ['$__all'] });
}

/** The monitor's own alerts, and those that Prometheus decides on. */
function annotations(locale: Locale) {
  return [
    new dashboard.AnnotationQueryBuilder()
      .name(TEXTS.alerts[locale])
      .datasource(DATA_SOURCE)
      .enable(true)
      .iconColor('red')
      .expr('max by (rule, severity) (sync_alert_firing{instance=~"$instance"}) == 1')
      .titleFormat('{{rule}}')
      .textFormat('{{severity}}')
      .tagKeys('severity')
      .step('30s'),
    new dashboard.AnnotationQueryBuilder()
      .name(TEXTS.prometheusAlerts[locale])
      .datasource(DATA_SOURCE)
      .enable(false)
      .iconColor('orange')
      .expr('ALERTS{alertname=~"Sync.+",alertstate="firing"}')
      .titleFormat('{{alertname}}')
      .textFormat('{{severity}}')
      .tagKeys('severity')
      .step('30s'),
  ];
}
