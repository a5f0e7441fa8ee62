/** The names of the fields that an object may have. A record by the type's own keys, so that none is forgotten. */
export type KnownFields<T> = Readonly<Record<keyof T & string, true>>;

/** Beyond this share of its letters a name is another one, and no slip of the pen. */
const SIMILAR = 1 / 3;

/**
 * Refuses a field that is none: a slip of the pen would otherwise be a wish that nobody hears.
 *
 * @param where what the object is, such as `model`; empty for the definition itself
 * @throws {TypeError} naming the first that is not known, with the known one that it resembles, or all of them
 */
export function checkFields<T>(where: string, given: object, known: KnownFields<T>): void {
  const field = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (field === undefined) return;
  const names = Object.keys(known);
  const nearest = nearestTo(field, names);
  const advice = nearest === undefined ? `it takes ${names.join(', ')}` : `did you mean ${nearest}?`;
  throw new TypeError(`defineBackend: ${where === '' ? '' : `${where}.`}${field} is unknown; ${advice}`);
}

/** The name that a text is a slip of; undefined: it is none of them. */
export function nearestTo(field: string, names: readonly string[]): string | undefined {
  const [nearest] = names
    .map((name) => ({ name, edits: editsBetween(field.toLowerCase(), name.toLowerCase()) }))
    .toSorted((one, other) => one.edits - other.edits);
  const isNear = nearest !== undefined && nearest.edits <= Math.max(1, field.length * SIMILAR);
  return isNear ? nearest.name : undefined;
}

/** How many letters must be added, left out or changed to make one text of the other. */
function editsBetween(one: string, other: string): number {
  // The edits from the letters so far to each beginning of the other text.
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const letter of one) {
    const above = row;
    row = [(above[0] ?? 0) + 1];
    for (let index = 0; index < other.length; index++) {
      const changed = (above[index] ?? 0) + (other[index] === letter ? 0 : 1);
      row.push(Math.min(changed, (above[index + 1] ?? 0) + 1, (row[index] ?? 0) + 1));
    }
  }
  return row[other.length] ?? 0;
}
