import type { Answer, Client, User } from './client.ts'

/** The kind of a frame with which Docker's client fails. */
const systemError = 3

/** An answer that does not tell whether the command ran, or not all that it printed. */
const unknown = (text: string): Answer => ({ status: null, text, json: {}, bytes: Buffer.alloc(0) })

/** Runs a command as `docker exec` does, in three requests; answers as Zun does: `output` and `exit_code`. */
export async function dockerExec(client: Client, user: User, name: string, command: string[]): Promise<Answer> {
  const body = { Cmd: command, AttachStdout: true, AttachStderr: true }
  const made = await client.ask(user, { at: 'docker', method: 'POST', path: `/containers/${name}/exec`, body })
  const { Id: id } = made.json as { Id?: string }
  if (made.status !== 201 || id === undefined) return made
  const start = { Detach: false, Tty: false }
  const ran = await client.ask(user, { at: 'docker', method: 'POST', path: `/exec/${id}/start`, body: start })
  // It goes with its container's run, which may have ended since.
  if (ran.status === 404) return unknown(ran.text)
  if (ran.status !== 200) return ran
  const { output, problem } = printed(ran.bytes)
  if (problem !== null) return unknown(problem)
  const seen = await client.ask(user, { at: 'docker', method: 'GET', path: `/exec/${id}/json` })
  const { ExitCode: exitCode } = seen.json as { ExitCode?: number | null }
  if (seen.status !== 200 || typeof exitCode !== 'number') return unknown(`inspect: ${seen.status} ${seen.text}`)
  return { ...ran, text: '', json: { output, exit_code: exitCode } }
}

/**
 * What is in Docker's frames: eight bytes before each piece, the first of them its kind, the last four its length. The host or the
 * way to it may be lost in the middle; then the stream itself says so, or ends within a frame, where no client takes it for whole.
 */
export function printed(bytes: Buffer): { readonly output: string; readonly problem: string | null } {
  const pieces: Buffer[] = []
  const output = () => Buffer.concat(pieces).toString()
  for (let at = 0; at < bytes.length; ) {
    const head = bytes.subarray(at, at + 8)
    const end = head.length === 8 ? at + 8 + head.readUInt32BE(4) : Number.POSITIVE_INFINITY
    if (end > bytes.length) return { output: output(), problem: 'the stream ended within a frame' }
    const piece = bytes.subarray(at + 8, end)
    if (head[0] === systemError) return { output: output(), problem: piece.toString() }
    pieces.push(piece)
    at = end
  }
  return { output: output(), problem: null }
}
