/** Where a worker listens. */
export interface Ports {
  readonly port: number;
  readonly internalPort: number;
}
