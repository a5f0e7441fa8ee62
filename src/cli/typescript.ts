import { register } from 'node:module';
import { register as registerTsx } from 'tsx/esm/api';

/**
 * Makes `import()` understand TypeScript from here on. Who imports this module waits for the loader, so it is
 * imported by those alone who need it.
 */
export function understandTypeScript(): void {
  registerTsx();
  register('./typescript-hooks.js', import.meta.url);
}
