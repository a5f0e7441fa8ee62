/** A number that Python holds as a float, and so prints with a fraction: `60.0`. */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** JSON as Python's `json.dumps` prints it: ", " and ": " between, and ASCII only. */
export function pythonJson(value: unknown): string {
  if (value instanceof PythonFloat) {
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  }
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => `${pythonJson(name)}: ${pythonJson(member)}`);
    return `{${members.join(', ')}}`;
  }
  const json = JSON.stringify(value) ?? 'null';
  return json.replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
