import { request } from 'node:http'
import { expect } from 'vitest'
import type { CliResult, Gantry, Session } from '../fixtures/gantry.ts'

export interface RawAnswer {
  readonly status: number
  readonly text: string
}

/** What tests of images say again and again; without a session as user demo. */
export function imageCommands(who: () => { readonly gantry: Gantry; readonly demo: Session }) {
  const docker = (args: readonly string[], session = who().demo): Promise<CliResult> =>
    who().gantry.docker(args, { session })

  async function ok(args: readonly string[], session = who().demo): Promise<string> {
    const { code, stdout, stderr } = await docker(args, session)
    expect({ args, code, stderr }).toMatchObject({ code: 0 })
    return stdout.trim()
  }

  async function refused(args: readonly string[], session = who().demo): Promise<string> {
    const { code, stderr } = await docker(args, session)
    expect({ args, code }).not.toMatchObject({ code: 0 })
    return stderr.trim()
  }

  /** A raw request, for what the command line would not send. */
  function ask(
    method: string,
    path: string,
    {
      session = who().demo,
      body,
      headers = {},
    }: { session?: Session; body?: Buffer; headers?: Record<string, string> } = {},
  ): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const url = `${who().gantry.dockerUrl}${path}`
      const type = body ? { 'content-type': 'application/x-tar', 'content-length': String(body.length) } : {}
      const sent = { 'x-auth-token': session.token, 'x-auth-project-id': session.projectId, ...type, ...headers }
      const call = request(url, { method, headers: sent }, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
      })
      // A refused archive need not be read to its end.
      call.on('error', reject)
      call.end(body)
    })
  }

  const names = async (session = who().demo): Promise<string[]> =>
    (await ok(['images', '--format', '{{.Repository}}:{{.Tag}}'], session)).split('\n').filter((line) => line !== '')

  const engineNames = async (): Promise<string[]> =>
    (await who().gantry.engine.docker('images', '-a', '--format', '{{.Repository}}:{{.Tag}}')).split('\n')

  const idOf = (name: string, session = who().demo): Promise<string> =>
    ok(['image', 'inspect', '--format', '{{.Id}}', name], session)

  return { docker, ok, refused, ask, names, engineNames, idOf }
}
