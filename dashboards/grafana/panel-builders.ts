/** From the value of a panel to the builder of the Grafana Foundation SDK. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as piechart from '@grafana/grafana-foundation-sdk/piechart';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { PanelSpec, Query } from './panel.js';
import type { Locale } from './words.js';

/** Every panel asks the data source that is chosen at the top. */
export const DATA_SOURCE = { type: 'prometheus', uid: '$datasource' };

/** The matcher of the monitors that are chosen at the top. */
const MONITORS = 'instance=~"$instance"';

/** What the builders of all kinds have in common; the SDK has no name for it. */
type PanelBuilder = timeseries.PanelBuilder | stat.PanelBuilder;

export function panelBuilder(spec: PanelSpec, id: number, locale: Locale): Builder<dashboard.Panel> {
  // The kinds differ in their own options alone; what follows all of them have.
  const builder = visualisation(spec, locale) as PanelBuilder;
  builder
    .id(id)
    .title(spec.title[locale])
    .description(spec.description[locale])
    .datasource(DATA_SOURCE)
    .unit(spec.unit)
    .span(spec.width ?? (spec.kind === 'stat' ? 4 : 12))
    .height(spec.height ?? (spec.kind === 'stat' ? 4 : 8));
  if (spec.decimals !== undefined) builder.decimals(spec.decimals);
  if (spec.min !== undefined) builder.min(spec.min);
  if (spec.max !== undefined) builder.max(spec.max);
  if (spec.steps !== undefined) builder.thresholds(thresholds(spec.steps));
  if (spec.states !== undefined) builder.mappings([stateNames(spec.states, locale)]);
  for (const [i, query] of spec.queries.entries()) builder.withTarget(target(spec, query, i, locale));
  return builder;
}

function target({ kind, title }: PanelSpec, query: Query, i: number, locale: Locale) {
  const { legend = title } = query;
  const builder = new prometheus.DataqueryBuilder()
    .datasource(DATA_SOURCE)
    .refId(String.fromCharCode(65 + i))
    .expr(expressionOf(query))
    .legendFormat(typeof legend === 'string' ? legend : legend[locale]);
  if (query.exemplar) builder.exemplar(true);
  if (kind === 'heatmap') builder.format(prometheus.PromQueryFormat.Heatmap);
  if (kind === 'table') return builder.format(prometheus.PromQueryFormat.Table).instant();
  // A bar or a slice is one number, of now.
  return kind === 'bars' || kind === 'pie' ? builder.instant() : builder.range();
}

/** As Grafana gets it. */
export function expressionOf(query: Query): string {
  return query.expr.replaceAll('$I', MONITORS);
}

function visualisation(spec: PanelSpec, locale: Locale) {
  switch (spec.kind) {
    case 'stat':
      return new stat.PanelBuilder()
        .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
        .graphMode(common.BigValueGraphMode.Area)
        .noValue('–')
        .colorMode(spec.steps === undefined ? common.BigValueColorMode.None : common.BigValueColorMode.Value);
    case 'lines':
    case 'stacked':
      return lines(spec);
    case 'heatmap':
      return new heatmap.PanelBuilder()
        .calculate(false)
        .color(new heatmap.HeatmapColorOptionsBuilder().scheme('Blues').steps(32))
        .yAxis(new heatmap.YAxisConfigBuilder().unit(spec.unit))
        .exemplarsColor('rgba(255,0,255,0.7)');
    case 'states':
      return new statetimeline.PanelBuilder()
        .mergeValues(true)
        .showValue(common.VisibilityMode.Auto)
        .rowHeight(0.8)
        .legend(new common.VizLegendOptionsBuilder().showLegend(false));
    case 'bars':
      return new bargauge.PanelBuilder()
        .orientation(common.VizOrientation.Horizontal)
        .displayMode(common.BarGaugeDisplayMode.Gradient)
        .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
    case 'pie':
      return new piechart.PanelBuilder()
        .pieType(piechart.PieChartType.Donut)
        .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
    case 'table':
      return tableOf(spec, locale);
  }
}

function lines(spec: PanelSpec): timeseries.PanelBuilder {
  const builder = new timeseries.PanelBuilder()
    .lineWidth(1)
    .fillOpacity(spec.kind === 'stacked' ? 30 : 5)
    .showPoints(common.VisibilityMode.Never)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi))
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    );
  if (spec.kind === 'stacked')
    builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (spec.log)
    builder.scaleDistribution(
      new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10),
    );
  if (spec.steps !== undefined)
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  return builder;
}

/** One row for each value of a label, one column for each query. */
function tableOf({ queries, columns = [], by }: PanelSpec, locale: Locale): table.PanelBuilder {
  if (by === undefined || columns.length !== queries.length)
    throw new Error('a table needs the label of its rows, and a column for each query');
  const values = columns.map((column, i) => [`Value #${String.fromCharCode(65 + i)}`, column] as const);
  const builder = new table.PanelBuilder()
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: { [by.label]: 0, ...Object.fromEntries(values.map(([name], i) => [name, i + 1])) },
        renameByName: {
          [by.label]: by.title[locale],
          ...Object.fromEntries(values.map(([name, { title }]) => [name, title[locale]])),
        },
      },
    });
  for (const { title, unit } of columns) {
    builder.overrideByName(title[locale], [{ id: 'unit', value: unit }]);
  }
  return builder;
}

function thresholds(steps: NonNullable<PanelSpec['steps']>) {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]) => ({ value, color })));
}

function stateNames(states: NonNullable<PanelSpec['states']>, locale: Locale): dashboard.ValueMapping {
  const entries = Object.entries(states).map(([value, { text, color }], index) => [
    value,
    { text: text[locale], color, index },
  ]);
  return { type: dashboard.MappingType.ValueToText, options: Object.fromEntries(entries) };
}
