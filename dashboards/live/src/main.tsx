/** Puts the page into the document, and what the document itself says of it. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { App } from './app.js';
import { watchSession } from './panels/session.js';
import { issues, language, level, messages, view } from './state.js';

const root = document.getElementById('page');
if (root === null) throw new Error('The document has no element "page".');

effect(() => {
  const { dataset } = document.documentElement;
  document.documentElement.lang = language.value;
  dataset.theme = view.value.theme ?? 'auto';
  dataset.kiosk = String(view.value.kiosk);
});

// Seen on a tab that is not in front.
effect(() => {
  const count = level.value === 'good' || issues.value.length === 0 ? '' : `(${issues.value.length}) `;
  document.title = `${count}${messages.value.title}`;
});

render(<App />, root);
watchSession();
