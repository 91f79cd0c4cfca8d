/** What this package needs of a logger; pino's satisfies it. Messages are constant, what varies goes into the fields. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
