/**
 * Exit codes of `gantry`. `run` and `exec` end with the code of the command they ran; their own failures are 125, as
 * with docker, so that the two can be told apart.
 */
export const exitCodes = { failed: 1, usage: 2, notLoggedIn: 3, notStarted: 125, interrupted: 130 } as const

export interface FailureOptions {
  /** What to do about it; printed after the sentence. */
  readonly remedy?: string
  readonly exitCode?: number
  readonly cause?: unknown
  /** The fault's code, when a server said it. */
  readonly code?: string
}

/** What ends a command: one sentence for stderr, what to do about it, and the exit code. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly remedy: string | undefined
  readonly exitCode: number
  readonly code: string | undefined

  constructor(sentence: string, { remedy, exitCode = exitCodes.failed, cause, code }: FailureOptions = {}) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.remedy = remedy
    this.exitCode = exitCode
    this.code = code
  }

  /** All that a person is told. */
  get said(): string {
    if (this.remedy === undefined) return this.message
    // What others say of a failure, such as a registry, does not always end as a sentence does.
    const sentence = /[.!?)]$/.test(this.message) ? this.message : `${this.message}.`
    return `${sentence} ${this.remedy}`
  }
}

/** A mistake in how the command was written. */
export function usage(sentence: string): Failure {
  return new Failure(sentence, { exitCode: exitCodes.usage })
}

/** Failures of `work` end with 125 instead of 1: the command in the container has not spoken. */
export async function orNotStarted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== exitCodes.failed) throw error
    const { message, remedy, code } = error
    throw new Failure(message, {
      exitCode: exitCodes.notStarted,
      cause: error,
      ...(remedy === undefined ? {} : { remedy }),
      ...(code === undefined ? {} : { code }),
    })
  }
}
