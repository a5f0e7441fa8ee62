import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import { allowOnly } from './answer-errors.js';

/** Every file that the page is made of. Only these are served: the folder is no public directory. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/page.css': 'page.css',
  '/page.js': 'page.js',
  '/chart.js': 'chart.js',
  '/dom.js': 'dom.js',
  '/endpoint.js': 'endpoint.js',
  '/feed.js': 'feed.js',
  '/fleet.css': 'fleet.css',
  '/fleet.js': 'fleet.js',
  '/format.js': 'format.js',
  '/lifecycle.js': 'lifecycle.js',
  '/lifecycle.json': 'lifecycle.json',
  '/poll.js': 'poll.js',
  '/scaling.css': 'scaling.css',
  '/scaling.js': 'scaling.js',
  '/timeline.js': 'timeline.js',
  '/workers.js': 'workers.js',
  '/icon.svg': 'icon.svg',
};

/** The page at `/`, read from disk beside this module, in the sources and in `dist/` alike. */
export function pageRoutes(): Router {
  const root = fileURLToPath(new URL('./page/', import.meta.url));
  const router = Router();
  for (const [path, file] of Object.entries(FILES)) {
    router
      .route(path)
      .get((_req, res) =>
        res.sendFile(file, { root, cacheControl: false, headers: { 'cache-control': 'no-cache' } }),
      )
      .all(allowOnly('GET', 'HEAD'));
  }
  return router;
}
