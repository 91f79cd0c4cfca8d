import type { Answer, Client, User } from './client.ts'

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
  const seen = await client.ask(user, { at: 'docker', method: 'GET', path: `/exec/${id}/json` })
  const { ExitCode: exitCode } = seen.json as { ExitCode?: number | null }
  if (seen.status !== 200 || typeof exitCode !== 'number') return unknown(`inspect: ${seen.status} ${seen.text}`)
  return { ...ran, text: '', json: { output: printed(ran.bytes), exit_code: exitCode } }
}

/** What is in Docker's frames: eight bytes before each piece, the last four of them its length. */
function printed(bytes: Buffer): string {
  const pieces: Buffer[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at + 4)
    pieces.push(bytes.subarray(at + 8, end))
    at = end
  }
  return Buffer.concat(pieces).toString()
}
