import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface StaticKeystone extends AsyncDisposable {
  /** Goes into OS_AUTH_URL. */
  readonly url: string
}

/**
 * Just enough of Keystone for OpenStack's clients to find a service: every log-in succeeds and the user's name is the
 * token. For tests of one façade without the rest of the cloud.
 */
export async function staticKeystone(zunUrl: string): Promise<StaticKeystone> {
  const server = createServer((request, response) => void answer(request, response, zunUrl, addressOf()))
  const addressOf = () => {
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v3`
  }
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const close = () =>
    new Promise<void>((closed) => {
      server.close(() => closed())
      server.closeAllConnections()
    })
  return { url: addressOf(), [Symbol.asyncDispose]: close }
}

async function answer(request: IncomingMessage, response: ServerResponse, zunUrl: string, own: string): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  response.setHeader('content-type', 'application/json')
  if (request.method !== 'POST') {
    const links = [{ rel: 'self', href: `${own}/` }]
    const version = { id: 'v3.14', status: 'stable', updated: '2020-04-07T00:00:00Z', links, 'media-types': [] }
    response.end(JSON.stringify(request.url?.startsWith('/v3') ? { version } : { versions: { values: [version] } }))
    return
  }
  const name = /"name":\s*"(demo|other|admin)"/.exec(Buffer.concat(chunks).toString())?.[1] ?? 'demo'
  response.writeHead(201, { 'x-subject-token': name })
  response.end(JSON.stringify({ token: tokenFor(name, zunUrl, own) }))
}

function tokenFor(name: string, zunUrl: string, own: string): object {
  const domain = { id: 'default', name: 'Default' }
  const service = (type: string, name: string, url: string) => ({
    id: type,
    type,
    name,
    endpoints: ['public', 'internal', 'admin'].map((face) => {
      return { id: `${type}-${face}`, interface: face, region: 'RegionOne', region_id: 'RegionOne', url }
    }),
  })
  return {
    methods: ['password'],
    user: { id: `user-${name}`, name, domain },
    project: { id: name === 'other' ? 'project-other' : 'project-demo', name, domain },
    roles: [{ id: 'role', name: name === 'admin' ? 'admin' : 'member' }],
    issued_at: '2026-01-01T00:00:00.000000Z',
    expires_at: '2099-01-01T00:00:00.000000Z',
    audit_ids: ['audit'],
    catalog: [service('identity', 'keystone', own), service('container', 'zun', zunUrl)],
  }
}
