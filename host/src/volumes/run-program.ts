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
 * Runs a program and resolves with what it printed. Rejects with a `ProgramError`, or with the reason of the signal. The
 * program does not outlive this process, however that ends: the next agent would meet it in the same file.
 */
export function runProgram(program: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // A service's PATH often lacks the folders of the administrator's programs, and messages must be those we know.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' }
  const command = ['--pdeathsig', 'KILL', '--', program, ...args]
  execFile('setpriv', command, { env, ...(signal && { signal }) }, (error, stdout, stderr) => {
    if (error === null) return resolve(stdout)
    if (signal?.aborted) return reject(signal.reason)
    if (error.code === 'ENOENT') return reject(new ProgramError('setpriv', null, 'there is no program setpriv'))
    if (/^setpriv: failed to execute .*: No such file/m.test(stderr)) {
      return reject(new ProgramError(program, null, `there is no program ${program}`))
    }
    const exitCode = typeof error.code === 'number' ? error.code : null
    reject(new ProgramError(program, exitCode, stderr.trim() || stdout.trim() || error.message))
  })
  return promise
}
