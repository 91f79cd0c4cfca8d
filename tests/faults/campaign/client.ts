import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import type { Random } from './random.ts'
import { delay } from './waiting.ts'
import type { World } from './world.ts'

export interface User {
  readonly name: string
  readonly password: string
  readonly project: string
  readonly projectId: string
  token: string
}

/** null: no answer came, and whether the request was carried out is not known. */
export interface Answer {
  readonly status: number | null
  readonly text: string
  readonly json: unknown
  readonly bytes: Buffer
}

export interface Asked {
  readonly at?: 'api' | 'docker'
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

/** A client that knows all servers and asks another one when one cannot be reached. */
export interface Client extends AsyncDisposable {
  ask(user: User, asked: Asked): Promise<Answer>
  logIn(name: string, password: string, project: string): Promise<User>
  admin(): Promise<User>
  /** A new project of that name, and a user of that name in it. */
  newUser(admin: User, name: string): Promise<User>
}

/** What tells that a request has not left: it may be sent to another server without being done twice. */
const unsent = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])
const patienceMs = 10_000

export function createClient(world: Pick<World, 'servers' | 'authority' | 'home'>, random: Random): Client {
  const dispatcher = new Agent({
    connect: { ca: world.authority, timeout: 1000 },
    headersTimeout: patienceMs,
    bodyTimeout: patienceMs,
  })

  async function send(asked: Asked, headers: Record<string, string>) {
    const { at = 'api', method, path, body } = asked
    const end = performance.now() + patienceMs
    const begin = Math.floor(random.next() * world.servers.length)
    for (let turn = begin; performance.now() < end; turn += 1) {
      const server = world.servers[turn % world.servers.length]
      if (!server) break
      const kills = server.program.kills()
      try {
        const answer = await fetch(`${server[at]}${path}`, {
          method,
          headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          dispatcher,
          signal: AbortSignal.timeout(patienceMs),
        })
        const bytes = Buffer.from(await answer.arrayBuffer())
        // Docker's streams end with their connection, so one whose server was killed looks whole.
        const { status, headers: told } = answer
        const isStream = status === 200 && !told.has('content-length') && !told.has('transfer-encoding')
        if (isStream && server.program.kills() !== kills) return null
        const text = bytes.toString()
        const isJson = answer.headers.get('content-type')?.includes('json') === true && text !== ''
        return {
          status: answer.status,
          headers: answer.headers,
          text,
          bytes,
          json: isJson ? (JSON.parse(text) ?? {}) : {},
        }
      } catch (error) {
        const { code } = ((error as Error).cause ?? {}) as { code?: string }
        if (code === undefined || !unsent.has(code)) return null
        await delay(100)
      }
    }
    return null
  }

  const logIn: Client['logIn'] = async (name, password, project) => {
    const domain = { name: 'Default' }
    const identity = { methods: ['password'], password: { user: { name, password, domain } } }
    const body = { auth: { identity, scope: { project: { name: project, domain } } } }
    for (let tries = 0; ; tries += 1) {
      const answer = await send({ method: 'POST', path: '/identity/v3/auth/tokens', body }, {})
      const token = answer?.headers.get('x-subject-token')
      const projectId = (answer?.json as { token?: { project?: { id?: string } } })?.token?.project?.id
      if (token && projectId !== undefined) return { name, password, project, projectId, token }
      if (tries > 60) throw new Error(`${name} cannot log in: ${answer?.status} ${answer?.text}`)
      await delay(1000)
    }
  }

  const ask: Client['ask'] = async (user, asked) => {
    for (let tries = 0; ; tries += 1) {
      const headers = {
        'x-auth-token': user.token,
        'x-auth-project-id': user.projectId,
        'openstack-api-version': 'container 1.40',
      }
      const answer = await send(asked, headers)
      if (answer?.status !== 401 || tries > 0) {
        return answer ?? { status: null, text: '', json: {}, bytes: Buffer.alloc(0) }
      }
      user.token = (await logIn(user.name, user.password, user.project)).token
    }
  }

  async function keystone(admin: User, method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await ask(admin, { method, path: `/identity/v3${path}`, ...(body !== undefined && { body }) })
    if (answer.status === null || answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
    return answer.json
  }

  return {
    ask,
    logIn,
    async admin() {
      const openrc = await readFile(join(world.home, 'openrc-admin'), 'utf8')
      return logIn('admin', /OS_PASSWORD=['"]?([^'"\n]+)/.exec(openrc)?.[1] ?? '', 'admin')
    },
    async newUser(admin, name) {
      const password = `pw-${name}-x7Kq2`
      const ofNew = { name, domain_id: 'default' }
      type Made = Record<string, { id: string } & { id: string }[]>
      const { project } = (await keystone(admin, 'POST', '/projects', { project: ofNew })) as Made
      const { user } = (await keystone(admin, 'POST', '/users', { user: { ...ofNew, password } })) as Made
      const { roles } = (await keystone(admin, 'GET', '/roles?name=member')) as Made
      await keystone(admin, 'PUT', `/projects/${project?.id}/users/${user?.id}/roles/${roles?.[0]?.id}`)
      return logIn(name, password, name)
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}
