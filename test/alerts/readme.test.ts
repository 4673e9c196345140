/** The rules file of the README is one that the program takes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { parseRulesFile } from '../../src/alerts/rules-file.js';
import { COMPONENTS } from '../../streams/system-health.js';
import { THRESHOLDS } from '../streams/observations.js';

test('the example', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const text = /```yaml\n(rules:\n.*?)```/s.exec(readme)?.[1] ?? '';
  const result = parseRulesFile(text, {
    ...{ file: 'README.md', thresholds: THRESHOLDS, receivers: [], components: COMPONENTS },
    defaults: { policy: { allowHttp: false, denyPrivate: false }, secret: null, locale: 'en' },
    readSecret: () => 'https://hooks.slack.com/services/T/B/x',
  });
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  const rules = new Map(result.file.rules.map((rule) => [rule.name, rule]));
  expect(rules.get('high_error_rate')).toMatchObject({ threshold: 5, forSeconds: 120, receivers: ['ops'] });
  expect(rules.get('slow_export')).toMatchObject({ operationType: 'export_to_1c', minimumCount: 20 });
  expect(rules.has('redis_unavailable')).toBe(false);
  expect(result.file.receivers.map(({ name, locale }) => [name, locale])).toEqual([['ops', 'ru']]);
});
