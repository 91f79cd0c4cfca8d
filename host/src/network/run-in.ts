import { spawn } from 'node:child_process'

/** A program of the machine refused, or could not be run. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
}

/** A line of `ip -batch`; `may`: it is no matter if it fails, as removing what may not be there. */
export type IpLine = string | { readonly may: string }

/** Runs network tools in namespaces, one process for each change. */
export interface NetTools {
  /** Carries out the lines in order in namespace `space` (a path; null: the agent's own). Goes on after a failure, then rejects. */
  ip(space: string | null, lines: readonly IpLine[]): Promise<void>
  /** One transaction: all of `text` or nothing. */
  nft(space: string | null, text: string): Promise<void>
  /** A script of the shell, for what needs answers or files below /proc/sys; resolves with its output. */
  sh(space: string | null, script: string): Promise<string>
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function netTools(): NetTools {
  const checked = async (program: string, ran: Promise<Ran>): Promise<string> => {
    const { code, stdout, stderr } = await ran
    if (code !== 0) throw new ToolError(`${program}: ${shortened(stderr === '' ? `it ended with ${code}` : stderr)}`)
    return stdout
  }
  return {
    ip: async (space, lines) => {
      const input = lines.map((line) => (typeof line === 'string' ? line : line.may)).join('\n')
      const { code, stderr } = await runIn(space, ['ip', '-force', '-batch', '-'], `${input}\n`)
      if (code === 0) return
      const failed = failedLines(stderr)
      if (failed.length === 0) throw new ToolError(`ip: ${shortened(stderr)}`)
      for (const { line, reason } of failed) {
        const command = lines[line - 1]
        if (typeof command === 'string') throw new ToolError(`ip ${command}: ${reason}`)
      }
    },
    nft: async (space, text) => {
      await checked('nft', runIn(space, ['nft', '-f', '-'], text))
    },
    sh: (space, script) => checked('sh', runIn(space, ['sh', '-ec', script], '')),
  }
}

/** What `ip -force -batch` says: the reason, then `Command failed -:3`. Pure. */
export function failedLines(stderr: string): { readonly line: number; readonly reason: string }[] {
  const failed: { line: number; reason: string }[] = []
  let reason: string[] = []
  for (const text of stderr.split('\n')) {
    const line = /^Command failed .*:(\d+)$/.exec(text)?.[1]
    if (line === undefined) {
      reason.push(text.trim())
      continue
    }
    failed.push({ line: Number(line), reason: shortened(reason.join(' ').trim()) })
    reason = []
  }
  return failed
}

function runIn(space: string | null, command: readonly string[], input: string): Promise<Ran> {
  const whole = space === null ? command : ['nsenter', `--net=${space}`, ...command]
  const [program = '', ...args] = whole
  const { promise, resolve, reject } = Promise.withResolvers<Ran>()
  // A service's PATH often lacks the folders of the administrator's programs, and messages must be those we know.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' }
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part))
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part))
  child.once('error', (error) => reject(new ToolError(`${program} cannot be run: ${error.message}`)))
  child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  // It may end before it has read everything; its exit code tells why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return promise
}

function shortened(text: string): string {
  const flat = text.trim().replaceAll(/\s+/g, ' ')
  return flat.length <= 400 ? flat : `${flat.slice(0, 400)}…`
}
