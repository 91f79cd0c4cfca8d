/** What control measures of itself; the app turns it into metrics. */
export interface Gauges {
  /** A step that an agent took. Seconds. */
  step(name: string, seconds: number, failed: boolean): void
  /** From the accepted request to the settled wish. Seconds. */
  settled(action: string, seconds: number, failed: boolean): void
  /** Containers waiting for a host. */
  waiting(count: number): void
}
