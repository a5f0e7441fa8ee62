import { fileURLToPath } from 'node:url';

/**
 * Builds the live page into dist/. It also runs after `npm ci` here, so that the page is there when the sources are run;
 * an installation without the development packages has no use for it.
 */
const config = fileURLToPath(new URL('../src/inspect/page/vite.config.ts', import.meta.url));
const vite = await import('vite').catch(() => undefined);
if (vite === undefined)
  console.error('the live page is not built: vite, a development package, is not installed');
else await vite.build({ configFile: config });
