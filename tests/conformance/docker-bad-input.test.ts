import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** The same cases every time; another number tries others. */
const seed = Number(process.env['GANTRY_FUZZ_SEED'] ?? 20_261_128)

let gantry: Gantry
let demo: Session

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  await ask('POST', '/containers/create?name=victim', { Image: 'busybox', Cmd: ['sleep', '1000'] })
  await ask('POST', '/containers/victim/start')
})
afterAll(() => gantry[Symbol.asyncDispose]())

/** The status, and the message of a refusal; a stream that does not end is let go of. */
async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; message: string }> {
  const answer = await fetch(`${gantry.dockerUrl}${path}`, {
    method,
    headers: {
      'x-auth-token': demo.token,
      'x-auth-project-id': demo.projectId,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  })
  if (answer.status < 400 || method === 'HEAD') {
    await answer.body?.cancel()
    return { status: answer.status, message: '' }
  }
  return { status: answer.status, message: ((await answer.json()) as { message: string }).message }
}

const fieldsOfConfig =
  'Image Cmd Entrypoint Env Labels Hostname User WorkingDir Tty OpenStdin StdinOnce ExposedPorts Volumes StopSignal StopTimeout Healthcheck HostConfig NetworkingConfig'
const fieldsOfHost =
  'Memory NanoCpus CpuQuota CpuShares PidsLimit RestartPolicy AutoRemove Init Tmpfs ShmSize Ulimits Sysctls CapAdd CapDrop ExtraHosts Dns IpcMode LogConfig NetworkMode PortBindings Binds Mounts Links Privileged Devices SecurityOpt'

test('no value of any field of a create makes a 500, and every refusal says why', async () => {
  const inConfig = fc.tuple(fc.constantFrom(...fieldsOfConfig.split(' ')), fc.jsonValue())
  const inHost = fc.tuple(fc.constantFrom(...fieldsOfHost.split(' ')), fc.jsonValue())
  await fc.assert(
    fc.asyncProperty(fc.array(inConfig, { maxLength: 3 }), fc.array(inHost, { maxLength: 3 }), async (config, host) => {
      const body = { Image: 'busybox', HostConfig: Object.fromEntries(host), ...Object.fromEntries(config) }
      const { status, message } = await ask('POST', '/containers/create', body)
      expect([body, status, message]).toEqual([
        body,
        expect.toSatisfy((code: number) => code < 500),
        expect.any(String),
      ])
      if (status >= 400) expect(message).toMatch(/\S/)
    }),
    { numRuns: 150, seed },
  )
  expect((await ask('POST', '/containers/prune')).status).toBe(200)
}, 120_000)

test.each(['', 'null', '[]', '1', '"x"', '{', '['.repeat(5000), '\0', '{"__proto__":{"Image":"busybox"}}'])(
  'a create with the body %j is 400',
  async (body) => expect((await ask('POST', '/containers/create', body)).status).toBe(400),
)

const routes: readonly (readonly [string, string])[] = [
  ['GET', '/containers/json'],
  ['GET', '/containers/victim/json'],
  ['GET', '/containers/victim/top'],
  ['GET', '/containers/victim/logs?stdout=1&'],
  ['GET', '/containers/victim/archive'],
  ['POST', '/containers/victim/resize'],
  ['POST', '/containers/victim/rename'],
  ['POST', '/containers/victim/update'],
  ['POST', '/containers/victim/exec'],
  ['POST', '/exec/none/start'],
  ['GET', '/exec/none/json'],
  ['GET', '/images/json'],
  ['POST', '/images/create'],
  ['GET', '/images/search'],
  ['GET', '/images/none/json'],
  ['POST', '/images/busybox/tag'],
  ['DELETE', '/images/none'],
  ['GET', '/networks'],
  ['POST', '/networks/create'],
  ['POST', '/networks/none/connect'],
  ['DELETE', '/networks/none'],
  ['GET', '/volumes'],
  ['POST', '/volumes/create'],
  ['DELETE', '/volumes/none'],
  ['GET', '/system/df'],
  ['POST', '/auth'],
  ['POST', '/build'],
  ['POST', '/commit'],
  ['POST', '/containers/prune'],
]

test('no argument of any route makes a 500', async () => {
  const names =
    'filters limit all size since until tail signal t h w name path fromImage fromSrc repo tag term dockerfile q remote container ps_args stream'
  const query = fc.dictionary(
    fc.constantFrom(...names.split(' ')),
    fc.oneof(fc.string({ unit: 'binary' }), fc.integer().map(String), fc.json()),
    { maxKeys: 3 },
  )
  const fields = fc.constantFrom(
    'Name',
    'Driver',
    'IPAM',
    'Labels',
    'Cmd',
    'Container',
    'EndpointConfig',
    'Memory',
    'Tty',
  )
  const body = fc.oneof(fc.jsonValue(), fc.dictionary(fields, fc.jsonValue(), { maxKeys: 3 }))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), query, body, async ([method, path], query, body) => {
      // A stream is meant to last.
      if (query['stream'] !== undefined) query['stream'] = '0'
      const url = `${path}${path.includes('?') ? '' : '?'}${new URLSearchParams(query).toString()}`
      const { status, message } = await ask(method, url, method === 'GET' ? undefined : body)
      // There is no registry to be reached from here, and that is what it says.
      const asksRegistry = path === '/auth' || path === '/images/create' || path === '/images/search'
      const fine = status < 500 || status === 501 || (asksRegistry && /registry|lookup|dial|network/i.test(message))
      expect([method, url, body, fine, message]).toEqual([method, url, body, true, message])
    }),
    { numRuns: 300, seed },
  )
  await ask('POST', '/containers/prune')
}, 180_000)

test.each([
  ['/v1.23/containers/json', 'too old'],
  ['/v1.45/containers/json', 'too new'],
  ['/v2.0/containers/json', 'too new'],
])('%s is 400', async (path, words) => {
  const { status, message } = await ask('GET', path)
  expect(status).toBe(400)
  expect(message).toContain(words)
})

test('what is not served is 404 in the engine’s words', async () => {
  for (const path of ['/session', '/grpc', '/debug/pprof/', '/containers/victim/checkpoints', '/v1.44/nothing']) {
    expect(await ask('POST', path)).toEqual({ status: 404, message: 'page not found' })
  }
})
