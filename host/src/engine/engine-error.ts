/** The engine answered, and refused: its HTTP status and its own sentence. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The engine did not answer: no socket, a broken connection, or no reply in time. Trying again later may work. */
export class EngineUnreachable extends Error {
  override readonly name = 'EngineUnreachable'
}

export function isStatus(error: unknown, ...statuses: number[]): error is EngineError {
  return error instanceof EngineError && statuses.includes(error.status)
}
