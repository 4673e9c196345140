/** `npm run dashboards`: writes the JSON of every dashboard beside the code it is made of. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles } from './dashboard.js';

for (const [name, text] of dashboardFiles()) {
  // Run from the root of the repository, as npm does.
  writeFileSync(join('dashboards', 'grafana', name), text);
  console.log(`dashboards/grafana/${name}`);
}
