/** Where everything stands on the page. */
import { Alerts } from './panels/alerts.js';
import { Business } from './panels/business.js';
import { Charts } from './panels/charts/charts.js';
import { Feed } from './panels/feed/feed.js';
import { SignedIn } from './panels/session.js';
import { StatusLine } from './panels/status-line.js';
import { SystemHealthPanel } from './panels/system-health.js';
import { Tiles } from './panels/tiles.js';
import { Toolbar } from './panels/toolbar.js';
import { TypesTable } from './panels/types-table.js';
import { connection } from './state.js';

export function App() {
  return (
    <>
      <Toolbar />
      {/* Old numbers stay, visibly old: an empty page would say less. */}
      <main data-stale={connection.value.state === 'lost'}>
        <StatusLine />
        <Tiles />
        <div class="columns">
          <div class="column main-column">
            <Charts />
            <TypesTable />
            <Feed />
          </div>
          <div class="column side-column">
            <Alerts />
            <SystemHealthPanel />
            <Business />
          </div>
        </div>
        <SignedIn />
      </main>
    </>
  );
}
