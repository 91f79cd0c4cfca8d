/** What control measures of itself; the app turns it into metrics. */
export interface Gauges {
  /** A step that an agent took. Seconds. */
  step(name: string, seconds: number, failed: boolean): void
  /** From the accepted request to the settled wish. Seconds. */
  settled(action: string, seconds: number, failed: boolean): void
  /** So many states of containers that agents reported were written down. */
  reported?(count: number): void
  /** Containers waiting for a host. */
  waiting(count: number): void
  /** Told, or tried in vain to tell, somebody outside of a change. */
  told?(way: 'webhook' | 'notification', delivered: boolean): void
}
