import { execFile } from 'node:child_process'
import type { Fence, Log } from '@gantry/control'

const longestMs = 120_000

/** Asks the operator's own program to make sure that a machine is off: `PROGRAM NAME ID`. Only exit code 0 counts. */
export function fenceBy(program: string, log: Log): Fence {
  return (host, signal) =>
    new Promise((resolve, reject) => {
      const options = { timeout: longestMs, signal, maxBuffer: 64 * 1024 }
      execFile(program, [host.name, host.id], options, (error, stdout, stderr) => {
        log.info({ host: host.id, stdout: stdout.slice(-500), stderr: stderr.slice(-500) }, 'fence command ended')
        if (error) reject(new Error(`${program} failed: ${error.message.slice(0, 500)}`))
        else resolve()
      })
    })
}
