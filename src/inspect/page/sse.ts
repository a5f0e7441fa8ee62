/** One event of a stream of server-sent events. */
export interface ServerSent {
  readonly event: string;
  readonly data: string;
}

/** Takes the events out of a stream that comes in pieces, of which each may end anywhere. */
export class EventReader {
  #rest = '';

  /** The events that are whole now. */
  read(piece: string): ServerSent[] {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.map(parse).filter(({ data }) => data !== '');
  }
}

function parse(block: string): ServerSent {
  const lines = block.split('\n');
  const valuesOf = (field: string) =>
    lines
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trimStart());
  return { event: valuesOf('event').at(-1) ?? 'message', data: valuesOf('data').join('\n') };
}
