/** Where the host writes what it does; pino's logger fits. Ids go in the fields, the message is constant. */
export interface HostLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
