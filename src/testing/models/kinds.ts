import { comfyui } from './comfyui.js';
import type { Kind } from './kind.js';
import { ooba } from './ooba.js';
import { openai } from './openai.js';
import { sdwebui } from './sdwebui.js';
import { tgi } from './tgi.js';

/** Each kind of model server that can be faked. */
export const KINDS = { openai, tgi, comfyui, sdwebui, ooba } as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export function isKindName(name: string): name is KindName {
  return Object.hasOwn(KINDS, name);
}
