import { execFile } from 'node:child_process'

/** A program of the machine failed, or is not installed. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
  readonly program: string
  /** What it ended with; null: it never ran, or was killed. */
  readonly exitCode: number | null

  constructor(program: string, exitCode: number | null, message: string) {
    super(message)
    this.program = program
    this.exitCode = exitCode
  }
}

/**
 * Runs a program and resolves with what it printed. Rejects with a `ProgramError`, or with the reason of the signal, which
 * ends the program.
 */
export type RunProgram = (program: string, args: readonly string[], signal?: AbortSignal) => Promise<string>

export interface Programs {
  readonly run: RunProgram
  /** As `run`, for a script of `sh` that wants to tidy up when it is ended: it gets SIGTERM where a program is killed. */
  runScript(script: string, args: readonly string[], signal?: AbortSignal): Promise<string>
  /** Resolves once no program runs any more that was started under this lock, by us or by a process before us. */
  allEnded(): Promise<void>
}

/**
 * Programs that do not outlive this process, however that ends: the next agent would meet them in the same files. Since even
 * one that was killed may be in the kernel for a while, each holds `lockFile` as long as it lives.
 */
export function programsUnder(lockFile: string): Programs {
  const start = (deathSignal: string, program: string, args: readonly string[], signal?: AbortSignal) =>
    runProgram(
      'flock',
      ['--shared', '--no-fork', lockFile, 'setpriv', '--pdeathsig', deathSignal, '--', program, ...args],
      signal,
    )
  return {
    run: (program, args, signal) => start('KILL', program, args, signal),
    runScript: (script, args, signal) => start('TERM', 'sh', ['-c', script, 'sh', ...args], signal),
    allEnded: async () => {
      await runProgram('flock', ['--exclusive', '--timeout', '60', lockFile, 'true'])
    },
  }
}

/** Runs one that may end when it likes. */
export const runProgram: RunProgram = (program, args, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // A service's PATH often lacks the folders of the administrator's programs, and messages must be those we know.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' }
  execFile(program, args, { env, ...(signal && { signal }) }, (error, stdout, stderr) => {
    if (error === null) return resolve(stdout)
    if (signal?.aborted) return reject(signal.reason)
    const missing = error.code === 'ENOENT' ? program : stderr.match(notFound)?.[1]
    if (missing !== undefined) return reject(new ProgramError(missing, null, `there is no program ${missing}`))
    const exitCode = typeof error.code === 'number' ? error.code : null
    reject(new ProgramError(asked(program, args), exitCode, stderr.trim() || stdout.trim() || error.message))
  })
  return promise
}

/** What `flock` and `setpriv` say of a program that they cannot run. */
const notFound = /^(?:setpriv|flock): failed to execute (\S+): No such file/m

/** The program behind those that only start it. */
function asked(program: string, args: readonly string[]): string {
  return program === 'flock' ? (args[args.indexOf('--') + 1] ?? program) : program
}
