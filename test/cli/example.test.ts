import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './project.js';

it('the backend that the README shows is examples/echo-backend.ts', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, shown] = /```ts\n\/\/ my-backend\.ts\n(.*?)```/s.exec(readme) ?? [];
  expect(shown).toBe(readFileSync(join(ROOT, 'examples/echo-backend.ts'), 'utf8'));
});
