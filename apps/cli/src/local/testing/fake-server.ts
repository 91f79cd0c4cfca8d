import { appendFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'

/** Speaks just enough of the server's part towards `gantry up`. Its only container becomes Running when it is asked about. */
const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    listen: { type: 'string' },
    'agents-listen': { type: 'string' },
    'docker-listen': { type: 'string' },
    'docker-tls-listen': { type: 'string' },
    'public-cidr': { type: 'string' },
  },
})
const { home = '', listen = '', 'agents-listen': agents = '' } = values
const docker = `http://${values['docker-listen']}`
const dockerTls = `https://${values['docker-tls-listen']}`
const api = `http://${listen}`
const streams = new Set<ServerResponse>()
let container: { uuid: string; status: string } | undefined

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(status, headers).end(JSON.stringify(body))
  }
  const path = request.url ?? ''
  const body = await text(request)
  appendFileSync(join(home, 'requests'), `${request.method} ${path}\n`)
  if (path === '/identity/v3/auth/tokens') return send(201, { token: { catalog: [] } }, { 'x-subject-token': 'token' })
  if (path === '/v1/events') {
    streams.add(response.writeHead(200, { 'content-type': 'text/event-stream' }))
    return response.flushHeaders()
  }
  if (path === '/container/v1/services') return send(200, { services: [{ state: 'up' }, { state: 'down' }] })
  if (path.startsWith('/container/v1/containers?all')) return send(200, { containers: container ? [container] : [] })
  if (request.method === 'POST') return send(202, run(body))
  if (path.includes('/logs')) return send(200, 'one\ntwo\nthree\n')
  return container ? send(200, container) : send(404, { errors: [{ detail: 'no such container' }] })
}

function run(body: string): object {
  const made = { uuid: 'uuid-1', status: 'Creating', ...(JSON.parse(body) as object) }
  container = made
  setTimeout(() => {
    made.status = 'Running'
    for (const stream of streams) stream.write('data: {"status":"Running"}\n\n')
  }, 50)
  return made
}

const lines = [
  'OS_USERNAME=demo',
  "OS_PASSWORD='it is secret'",
  'OS_PROJECT_NAME=demo',
  `OS_AUTH_URL=${api}/identity/v3`,
]
for (const file of ['openrc', 'openrc-admin']) {
  writeFileSync(join(home, file), `${lines.map((line) => `export ${line}`).join('\n')}\n`, { mode: 0o600 })
}
if (process.env['FAKE_SERVER_FAILS']) {
  process.send?.({ kind: 'failed', message: 'The database is from a newer version.' }, () => process.exit(1))
} else {
  const [host, port] = listen.split(':')
  createServer((request, response) => void answer(request, response)).listen(Number(port), host, () => {
    process.send?.({ kind: 'ready', api, agents, docker, dockerTls, joinToken: 'gj1.secret', firstStart: true })
  })
  process.on('SIGTERM', () => process.exit(0)).on('disconnect', () => process.exit(0))
}
