import type { RequestHandler } from 'express';
import { WorkerError } from '../errors.js';

/** A browser sends JSON across sites only after asking, so no other page can make up messages here. */
export const requireJson: RequestHandler = (req, _res, next) => {
  const matched = req.is('application/json');
  if (matched === null || req.headers['content-length'] === '0')
    throw new WorkerError('invalid_json', 'The body is empty.');
  if (matched === false)
    throw new WorkerError('unsupported_media_type', 'Only application/json is taken here.');
  next();
};
