import type { InspectionEvent } from 'xstate';
import type { Backend } from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log.js';
import { redactor } from '../supervisor/environment.js';
import { packageVersion } from '../version.js';
import { Inspector } from './inspector.js';

export interface InspectorForOptions {
  readonly backend: Backend;
  readonly config: Config;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Who else hears what xstate says. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
}

/** The inspector of a worker, which knows its secrets and keeps them to itself. */
export function inspectorFor({ backend, config, log, now, inspect }: InspectorForOptions): Inspector {
  const {
    masterToken: MASTER_TOKEN,
    internalToken: INTERNAL_TOKEN,
    recordFile,
    recordBytes,
    inspectTo,
  } = config;
  return new Inspector({
    version: packageVersion(),
    backend: backend.name,
    redact: redactor({ ...process.env, MASTER_TOKEN, INTERNAL_TOKEN }),
    log,
    now,
    recordTo: recordFile === undefined ? null : { path: recordFile, maxBytes: recordBytes },
    statelyTo: inspectTo ?? null,
    inspect,
  });
}
