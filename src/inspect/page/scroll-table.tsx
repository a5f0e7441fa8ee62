import type { ComponentChildren } from 'preact';

export interface ScrollTableProps {
  /** The id of the title above it. */
  readonly titleId: string;
  readonly columns: readonly string[];
  /** The rows. */
  readonly children: ComponentChildren;
}

/** A table that scrolls in its own box, with the keyboard too. */
export function ScrollTable({ titleId, columns, children }: ScrollTableProps) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-labelledby={titleId}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
