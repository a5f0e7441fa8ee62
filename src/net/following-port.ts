/** The port after one, or any free one where there is none. */
export function followingPort(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1;
}
