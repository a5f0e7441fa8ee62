import { z } from 'zod';
import { DURATION_TAKES, parseDuration } from '../duration.js';

/**
 * The types of settings. Each turns the text of a variable into a value, and says in words what it
 * takes, for error messages and for the documentation.
 */
export interface SettingType<T> {
  readonly schema: z.ZodType<T, string>;
  /** Completes "it takes ...". */
  readonly takes: string;
}

export const text: SettingType<string> = { schema: z.string(), takes: 'any text' };

/** What a header can carry whoever sends it. */
export const token: SettingType<string> = {
  schema: z.string().regex(/^[\x21-\x7e]*$/),
  takes: 'letters, digits and signs of ASCII, without spaces',
};

export const integer: SettingType<number> = {
  schema: parsed((value) => (/^\d{1,15}$/.test(value) ? Number(value) : undefined)),
  takes: 'a whole number',
};

export const port: SettingType<number> = {
  schema: parsed((value) => (/^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined)),
  takes: 'a port number from 0 to 65535; 0 takes any free port',
};

const FLAGS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

export const flag: SettingType<boolean> = {
  schema: parsed((value) => FLAGS.get(value.toLowerCase())),
  takes: 'true or false',
};

/** In milliseconds. Timers can't wait longer than 2^31 - 1 ms, so neither can a setting. */
export const duration: SettingType<number> = {
  schema: parsed(parseDuration),
  takes: DURATION_TAKES,
};

/** In milliseconds; Infinity: there is no limit. */
export const limit: SettingType<number> = {
  schema: parsed((value) =>
    ['none', '0'].includes(value) ? Number.POSITIVE_INFINITY : parseDuration(value),
  ),
  takes: `${DURATION_TAKES}; none or 0 for no limit`,
};

/** After how long without a request all workers are let go, in milliseconds. */
export const inactivity: SettingType<number | 'off' | 'never'> = {
  schema: parsed((value) => {
    if (value === 'never') return value;
    return ['off', '0'].includes(value) ? 'off' : parseDuration(value);
  }),
  takes: `${DURATION_TAKES}; off or never`,
};

const BYTES_PER_UNIT = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** In bytes. */
export const size: SettingType<number> = {
  schema: parsed((value) => {
    const [, amount, unit] = /^(\d+)\s?(B|KiB|MiB|GiB)$/.exec(value) ?? [];
    const bytes = Number(amount) * BYTES_PER_UNIT[unit as keyof typeof BYTES_PER_UNIT];
    return bytes >= 1 && bytes <= 2 ** 40 ? bytes : undefined;
  }),
  takes: 'a size such as 64KiB or 1MiB',
};

/** A whole number from 1. */
export const count: SettingType<number> = {
  schema: parsed((value) => (/^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined)),
  takes: 'a whole number from 1',
};

/** A number over 0. */
export const positive: SettingType<number> = {
  schema: parsed((value) => numberOver0(value, 1e12)),
  takes: 'a number over 0',
};

/** A number from 0. */
export const amount: SettingType<number> = {
  schema: parsed((value) => numberUpTo(value, 1e12)),
  takes: 'a number from 0',
};

/** A part of something, as a number over 0 and up to 1. */
export const share: SettingType<number> = {
  schema: parsed((value) => numberOver0(value, 1)),
  takes: 'a number over 0 and up to 1',
};

/** The path of a URL. */
export const path: SettingType<string> = {
  schema: parsed((value) => (/^\/[^\s#]*$/.test(value) ? value : undefined)),
  takes: 'a path such as /health',
};

/** One base address, without a slash at its end. */
export const url: SettingType<string> = {
  schema: parsed((value) => (isBaseAddress(value) ? value.replace(/\/+$/, '') : undefined)),
  takes: 'an http or https address such as http://127.0.0.1:8000',
};

/** Base addresses, in the order in which they are tried. */
export const urlList: SettingType<readonly string[]> = {
  schema: parsed((value) => {
    const urls = value.split(',').map((part) => part.trim());
    return urls.every(isBaseAddress) ? Object.freeze([...new Set(urls)]) : undefined;
  }),
  takes: 'http or https addresses, separated by commas',
};

/** Origins of web pages; `*`: any. */
export const originList: SettingType<readonly string[]> = {
  schema: parsed((value) => {
    const origins = value.split(',').map((part) => part.trim());
    return origins.every(isOrigin) ? Object.freeze([...new Set(origins)]) : undefined;
  }),
  takes: 'origins such as https://example.com, separated by commas, or * for any',
};

export function choice<const T extends string>(values: readonly T[]): SettingType<T> {
  return {
    schema: parsed((value) => values.find((candidate) => candidate === value)),
    takes: `one of ${values.join(', ')}`,
  };
}

/** A path is put behind it, so it has neither query nor fragment; and what would be logged has no password. */
function isBaseAddress(value: string): boolean {
  return /^https?:\/\/[^?#@]+$/i.test(value) && URL.canParse(value);
}

function isOrigin(value: string): boolean {
  return value === '*' || (/^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value);
}

function numberUpTo(value: string, most: number): number | undefined {
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  return number <= most ? number : undefined;
}

function numberOver0(value: string, most: number): number | undefined {
  return numberUpTo(value, most) || undefined;
}

/** A schema of a function that answers undefined for what it does not take. */
function parsed<T>(parse: (value: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((value, context) => {
    const result = parse(value.trim());
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: 'not taken' });
    return z.NEVER;
  });
}
