/** The page: wires the connection to the panels. Every number comes from one snapshot, so they agree. */
import { drawThroughput } from './chart.js';
import { connect } from './connection.js';
import { byId, element, fill, setText } from './element.js';
import { createFeed } from './feed.js';
import { age, count, millis, number, percent, text, time } from './format.js';

const WINDOWS = ['1m', '5m', '1h', '24h'];
const NAMES = { '1m': 'Last minute', '5m': 'Last 5 minutes', '1h': 'Last hour', '24h': 'Last 24 hours' };
let chosen = '5m';
let latest = null;

function pill(id, content, state) {
  const target = byId(id);
  setText(target, content);
  target.dataset.state = state;
}

function makeTile() {
  const tile = element('button', 'tile');
  tile.type = 'button';
  const facts = element('span', 'facts');
  for (let index = 0; index < 8; index += 1) facts.append(element('span'));
  tile.append(element('span', 'window'), element('span', 'big'), facts);
  tile.addEventListener('click', () => {
    chosen = tile.dataset.window;
    if (latest !== null) show(latest);
  });
  return tile;
}

function updateTile(tile, [name, numbers]) {
  tile.dataset.window = name;
  tile.setAttribute('aria-pressed', String(name === chosen));
  const [title, big, facts] = tile.children;
  setText(title, NAMES[name]);
  setText(big, count(numbers.total_operations));
  const values = [
    ['Success', percent(numbers.success_rate)],
    ['Errors', count(numbers.error_count)],
    ['p95', millis(numbers.duration_p95_ms)],
    ['Per minute', number(numbers.throughput_per_minute)],
  ].flat();
  values.forEach((value, index) => {
    setText(facts.children[index], value);
  });
  facts.children[3].className = numbers.error_count > 0 ? 'bad' : '';
}

function makeTypeRow() {
  const row = element('tr');
  for (let index = 0; index < 9; index += 1) row.append(element('td', index === 0 ? '' : 'number'));
  return row;
}

function updateTypeRow(row, [type, numbers]) {
  const values = [
    type,
    count(numbers.total_operations),
    count(numbers.error_count),
    count(numbers.pending_count),
    percent(numbers.success_rate),
    millis(numbers.duration_avg_ms),
    millis(numbers.duration_p50_ms),
    millis(numbers.duration_p95_ms),
    millis(numbers.duration_p99_ms),
  ];
  values.forEach((value, index) => {
    setText(row.children[index], value);
  });
  row.children[2].className = numbers.error_count > 0 ? 'number bad' : 'number';
}

function definitions(id, pairs) {
  const parent = byId(id);
  const items = pairs.flatMap(([name, value]) => [
    ['DT', name],
    ['DD', value],
  ]);
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach(([tag, content], index) => {
    if (parent.children[index] === undefined) parent.append(element(tag));
    setText(parent.children[index], content);
  });
}

function knownTypes(types) {
  const select = byId('feed-type');
  const have = new Set([...select.options].map((option) => option.value));
  for (const type of types) if (!have.has(type)) select.append(new Option(type, type));
}

function show(snapshot) {
  latest = snapshot;
  setText(byId('at'), `${time(snapshot.at)}`);
  const { state, reasons } = snapshot.completeness;
  pill(
    'completeness',
    state.replace('_', ' '),
    state === 'complete' ? 'good' : state === 'unknown' ? 'bad' : 'warn',
  );
  const lag = snapshot.lag_ms;
  pill('lag', millis(lag), lag === null ? 'bad' : lag < 2_000 ? 'good' : lag < 15_000 ? 'warn' : 'bad');
  const notice = byId('reasons');
  notice.hidden = reasons.length === 0;
  setText(notice, reasons.join(' '));

  fill(
    byId('windows'),
    WINDOWS.map((name) => [name, snapshot.windows[name]]),
    makeTile,
    updateTile,
  );
  const byType = Object.entries(snapshot.windows[chosen].by_type);
  byType.sort((one, other) => other[1].total_operations - one[1].total_operations);
  setText(byId('by-type-window'), NAMES[chosen].toLowerCase());
  fill(byId('by-type'), byType, makeTypeRow, updateTypeRow);
  drawThroughput(snapshot.throughput);
  knownTypes(Object.keys(snapshot.windows['24h'].by_type));

  const { queue, business } = snapshot;
  const waiting = Object.entries(queue.by_type).filter(([, ofType]) => ofType.pending > 0);
  definitions('queue', [
    ['Pending operations', count(queue.pending_operations)],
    ['Export queue', count(queue.export_queue)],
    ['Oldest waits', age(queue.oldest_age_seconds)],
    ...waiting.map(([type, ofType]) => [
      type,
      `${count(ofType.pending)} · ${age(ofType.oldest_age_seconds)}`,
    ]),
  ]);
  definitions('business', [
    ['Customers synchronised', count(business.synced_customers_count)],
    ['New registrations', count(business.new_registrations)],
    ['Imports from 1C', count(business.imports_from_1c)],
    ['Conflicts', count(business.total_conflicts)],
    ['Resolved automatically', percent(business.auto_resolution_rate)],
    ...Object.entries(business.conflicts_resolved).map(([name, n]) => [`Resolved: ${name}`, count(n)]),
    ['Identifications', count(business.total_identifications)],
    ...Object.entries(business.identification_methods).map(([name, n]) => [`Found by ${name}`, count(n)]),
    ['Mails to admins', count(business.admin_notifications_sent)],
    ['Hours saved', number(business.automation_hours_saved)],
    ...(business.automation_money_saved === undefined
      ? []
      : [['Money saved', number(business.automation_money_saved)]]),
  ]);
}

function showHealth(health) {
  const { mode, reason } = health.bell;
  pill('bell', mode, mode === 'dead' ? 'bad' : mode === 'off' ? 'warn' : 'good');
  byId('bell').title = text(reason);
}

const STATES = {
  connecting: ['connecting', 'wait'],
  live: ['live', 'good'],
  lost: ['lost, retrying', 'bad'],
};
const feed = createFeed();
const connection = connect({
  onState(state) {
    pill('connection', ...STATES[state]);
    // Old numbers stay, visibly old: an empty page would say less.
    document.body.dataset.stale = String(state !== 'live' && latest !== null);
  },
  onMessage(message) {
    if (message.type === 'snapshot') show(message);
    else if (message.type === 'events') feed.events(message);
    else if (message.type === 'gap') feed.gap(message);
    else if (message.type === 'health') showHealth(message);
    else if (message.type === 'error') setText(byId('feed-note'), message.message);
  },
});

function changeFilter() {
  const filter = {};
  const statuses = byId('feed-status').value;
  const type = byId('feed-type').value;
  if (statuses !== '') filter.statuses = statuses.split(',');
  if (type !== '') filter.operation_types = [type];
  feed.clear();
  connection.setFilter(filter);
}

byId('feed-status').addEventListener('change', changeFilter);
byId('feed-type').addEventListener('change', changeFilter);
byId('feed-pause').addEventListener('click', (event) => {
  const button = event.currentTarget;
  const paused = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(paused));
  setText(button, paused ? 'Continue' : 'Pause');
  feed.setPaused(paused);
});
