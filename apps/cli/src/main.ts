import { enableCompileCache } from 'node:module'
import { CommanderError } from 'commander'
import { exitCodes, Failure } from './failure.ts'
import { isProgram } from './local/programs.ts'

// Keeps the stripped sources between starts: without it every start pays for them again.
enableCompileCache()

process.stdout.on('error', quietly)
process.stderr.on('error', quietly)
try {
  const words = process.argv.slice(2)
  if (isProgram(words[0])) {
    const { runProgram } = await import('./local/program-verbs.ts')
    await runProgram(words[0])
  } else {
    const { createProgram } = await import('./program.ts')
    const program = await createProgram(words)
    await program.parseAsync(words, { from: 'user' })
  }
} catch (error) {
  process.exitCode = report(error)
}

/** A reader that has left (`gantry ps | head`) ends the program; it is no failure. */
function quietly(error: Error & { code?: string }): void {
  if (error.code === 'EPIPE') process.exit()
  throw error
}

/** One sentence, and what to do about it; answers with the exit code. */
function report(error: unknown): number {
  // Commander has printed its own sentence, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  if (error instanceof Failure) {
    process.stderr.write(`gantry: ${error.said}\n`)
    return error.exitCode
  }
  const stack = error instanceof Error ? error.stack : String(error)
  process.stderr.write(`gantry: This should not have happened; please report it.\n${stack}\n`)
  return exitCodes.failed
}
