/** The app over a hand-driven monitor, asked without a socket. */
import { type AccessOptions, createAccess } from '../../src/http/auth.js';
import { type AppOptions, createApp } from '../../src/http/routes.js';
import { errorAnswer } from '../../src/http/schemas.js';
import { loadPage } from '../../src/http/static.js';
import { HandDrivenView, NO_CLIENTS, row, START } from './view.js';

export const page = await loadPage('test/http/page');

export function setUpApp(access: AccessOptions = { host: '127.0.0.1' }, options: Partial<AppOptions> = {}) {
  const view = new HandDrivenView();
  const failures: unknown[] = [];
  const app = createApp(view, {
    access: createAccess(access),
    page,
    liveStats: () => NO_CLIENTS,
    version: '1.2.3',
    onError: (error) => failures.push(error),
    now: () => START,
    ...options,
  });
  return { view, app, failures };
}

/** A monitor that has seen one row of every kind. */
export function busyApp(access?: AccessOptions) {
  const made = setUpApp(access);
  made.view.fold([
    row(),
    row({ status: 'failed', errorMessage: 'no answer' }),
    row({ operationType: 'export_to_1c', status: 'pending', durationMs: null }),
    row({ operationType: 'conflict_resolution', conflictSource: 'data_import', emailSent: true }),
    row({ operationType: 'customer_identification', identificationMethod: 'email' }),
    row({ operationType: 'of_a_new_kind', status: 'odd' }),
  ]);
  made.view.tick();
  return made;
}

export async function errorOf(response: Response): Promise<{ code: string; message: string }> {
  return errorAnswer.parse(await response.json()).error;
}
