/** Structured log: fields first, then a constant message (pino's shape). Never a token, a password or a body. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
