import type { InspectionEvent } from 'xstate';
import type { Backend } from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log.js';
import type { Redact } from '../redact.js';
import { packageVersion } from '../version.js';
import { Inspector } from './inspector.js';

export interface InspectorForOptions {
  readonly backend: Backend;
  readonly config: Config;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly redact: Redact;
  /** Who else hears what xstate says. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
}

/** The inspector of a worker. */
export function inspectorFor({ backend, config, log, now, redact, inspect }: InspectorForOptions): Inspector {
  const { recordFile, recordBytes, inspectTo } = config;
  return new Inspector({
    version: packageVersion(),
    backend: backend.name,
    redact,
    log,
    now,
    recordTo:
      recordFile === undefined
        ? null
        : { path: recordFile, namedBy: 'TSWORKER_RECORD', maxBytes: recordBytes },
    statelyTo: inspectTo ?? null,
    inspect,
  });
}
