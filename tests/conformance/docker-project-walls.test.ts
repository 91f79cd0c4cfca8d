import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { askDocker, type Said } from './docker-ask.ts'

/** Between two projects of the Docker API: what the other has is not there, and nothing that one does reaches it. */
let gantry: Gantry
let demo: Session
let other: Session
const owned = { id: '', exec: '', network: '', image: '' }

const ask = (session: Session, method: string, path: string, sent?: unknown): Promise<Said> =>
  askDocker(gantry.dockerUrl, session, method, path, sent)

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  other = await gantry.newTenant('other')
  const docker = async (...args: string[]) => {
    const { code, stdout, stderr } = await gantry.docker(args)
    expect({ args, code, stderr }).toMatchObject({ code: 0 })
    return stdout.trim()
  }
  owned.network = await docker('network', 'create', 'wall-net')
  await docker('volume', 'create', 'wall-vol')
  owned.id = await docker(
    'run',
    '-d',
    '--name',
    'wall',
    '--network',
    'wall-net',
    '-v',
    'wall-vol:/v',
    'busybox',
    'sleep',
    '600',
  )
  await docker('commit', 'wall', 'wall-image')
  owned.image = JSON.parse((await ask(demo, 'GET', '/images/wall-image/json')).message).Id
  const made = await ask(demo, 'POST', `/containers/${owned.id}/exec`, { Cmd: ['sleep', '300'] })
  owned.exec = JSON.parse(made.message).Id
  await ask(demo, 'POST', `/exec/${owned.exec}/start`, { Detach: true })
})

afterAll(() => gantry?.[Symbol.asyncDispose]())

/** What demo sees of its own, but for what time changes. */
async function mineAsItIs(): Promise<unknown> {
  const read = async (path: string) => JSON.parse((await ask(demo, 'GET', path)).message)
  const { Id, Name, State, HostConfig, Mounts } = await read('/containers/wall/json')
  const [network, volume, image, exec] = await Promise.all(
    ['/networks/wall-net', '/volumes/wall-vol', '/images/wall-image/json', `/exec/${owned.exec}/json`].map(read),
  )
  const started = [State.Status, State.StartedAt, State.Pid > 0]
  return { Id, Name, started, HostConfig, Mounts, network, volume, image: image.Id, running: exec.Running }
}

const refs = (): string[] => [owned.id, owned.id.slice(0, 12), 'wall', '/wall', owned.id.slice(0, 32)]
const ofContainer: readonly (readonly [string, string, unknown?])[] = [
  ['GET', '/json'],
  ['GET', '/top'],
  ['GET', '/logs?stdout=1'],
  ['GET', '/stats?stream=0'],
  ['GET', '/changes'],
  ['GET', '/export'],
  ['GET', '/archive?path=/etc'],
  ['HEAD', '/archive?path=/etc'],
  ['PUT', '/archive?path=/etc', {}],
  ['POST', '/start'],
  ['POST', '/stop'],
  ['POST', '/restart'],
  ['POST', '/kill'],
  ['POST', '/pause'],
  ['POST', '/unpause'],
  ['POST', '/rename?name=taken'],
  ['POST', '/update', { Memory: 64 << 20 }],
  ['POST', '/wait'],
  ['POST', '/resize?h=1&w=1'],
  ['POST', '/attach?stream=1&stdout=1'],
  ['POST', '/exec', { Cmd: ['id'] }],
  ['DELETE', '?force=1'],
  ['DELETE', '?force=1&v=1'],
]

test.each(ofContainer.map(([method, path, body]) => ({ method, path, body })))(
  '$method /containers/…$path answers 404',
  async ({ method, path, body }) => {
    for (const ref of refs()) {
      const { status, message } = await ask(other, method, `/containers/${encodeURIComponent(ref)}${path}`, body)
      expect({ ref, status, message }).toMatchObject({ ref, status: 404 })
      expect(message).not.toContain('page not found')
    }
  },
)

test('nor is anything else found by whatever name', async () => {
  const asks: [string, string, unknown?][] = [
    ['GET', `/exec/${owned.exec}/json`],
    ['POST', `/exec/${owned.exec}/start`, { Detach: false }],
    ['POST', `/exec/${owned.exec}/start`, { Detach: true }],
    ['POST', `/exec/${owned.exec}/resize?h=1&w=1`],
    ...[owned.network, owned.network.slice(0, 12), 'wall-net'].flatMap((ref): [string, string, unknown?][] => [
      ['GET', `/networks/${ref}`],
      ['DELETE', `/networks/${ref}`],
      ['POST', `/networks/${ref}/connect`, { Container: owned.id }],
      ['POST', `/networks/${ref}/disconnect`, { Container: owned.id, Force: true }],
    ]),
    ['GET', '/volumes/wall-vol'],
    ['DELETE', '/volumes/wall-vol?force=0'],
    ...[owned.image, owned.image.slice(7, 19), 'wall-image', 'wall-image:latest'].flatMap(
      (ref): [string, string, unknown?][] => [
        ['GET', `/images/${ref}/json`],
        ['GET', `/images/${ref}/history`],
        ['GET', `/images/${ref}/get`],
        ['POST', `/images/${ref}/tag?repo=stolen&tag=x`],
        ['DELETE', `/images/${ref}?force=1`],
        ['POST', '/containers/create', { Image: ref }],
      ],
    ),
    ['POST', '/commit?container=wall&repo=stolen'],
    ['POST', `/commit?container=${owned.id}&repo=stolen`],
    ['POST', '/containers/create', { Image: 'busybox', HostConfig: { NetworkMode: 'wall-net' } }],
    ['POST', '/containers/create', { Image: 'busybox', HostConfig: { NetworkMode: owned.network } }],
  ]
  const before = await mineAsItIs()
  for (const [method, path, body] of asks) {
    const { status, message } = await ask(other, method, path, body)
    // A create says 400 of a network that is not there.
    const isCreate = path === '/containers/create' && /network .* not found/.test(message)
    expect({ method, path, body, message, status }).toEqual({
      method,
      path,
      body,
      message,
      status: isCreate ? 400 : 404,
    })
    expect(message).not.toContain('page not found')
  }
  expect(await mineAsItIs()).toEqual(before)
})

test('a volume of the same name is another', async () => {
  await gantry.docker(['exec', 'wall', 'sh', '-c', 'echo secret > /v/s'])
  const seen = await gantry.docker(['run', '--rm', '-v', 'wall-vol:/v', 'busybox', 'ls', '-A', '/v'], {
    session: other,
  })
  expect(seen).toMatchObject({ code: 0, stdout: '' })
  expect((await gantry.docker(['volume', 'rm', 'wall-vol'], { session: other })).code).toBe(0)
  expect((await gantry.docker(['exec', 'wall', 'cat', '/v/s'])).stdout).toBe('secret\n')
})

test('lists, sums and events tell only of one’s own', async () => {
  const now = Math.floor(Date.now() / 1000) + 1
  for (const path of [
    '/containers/json?all=1',
    '/containers/json?all=1&filters={"name":["wall"]}',
    `/containers/json?all=1&filters={"ancestor":["${owned.image}"]}`,
    '/networks',
    '/volumes',
    '/images/json?all=1',
    '/system/df',
    `/events?since=1&until=${now}`,
    '/info',
  ]) {
    const { status, message } = await ask(other, 'GET', path)
    expect({ path, status }).toEqual({ path, status: 200 })
    // The other one's own volume of that name, made and removed above.
    const own = message.split('\n').filter((line) => line.includes('"Type":"volume"'))
    const rest = message.split('\n').filter((line) => !own.includes(line))
    expect(rest.join('\n')).not.toMatch(/wall/)
    expect(own.filter((line) => line.includes('"Action":"create"')).length).toBeLessThanOrEqual(1)
    expect(message).not.toContain(owned.id)
    expect(message).not.toContain(owned.image)
  }
  expect(JSON.parse((await ask(other, 'GET', '/info')).message)).toMatchObject({ Containers: 0 })
})

test('prunes take nothing of another', async () => {
  await gantry.docker(['create', '--name', 'wall-old', 'busybox', 'true'])
  await gantry.docker(['network', 'create', 'wall-unused'])
  await gantry.docker(['volume', 'create', 'wall-empty'])
  const before = await mineAsItIs()
  for (const path of [
    '/containers/prune',
    '/networks/prune',
    '/volumes/prune?filters={"all":["true"]}',
    '/images/prune?filters={"dangling":["false"]}',
    '/build/prune?all=1',
  ]) {
    const { status, message } = await ask(other, 'POST', path)
    expect({ path, status }).toEqual({ path, status: 200 })
    expect(message).not.toMatch(/wall/)
  }
  expect(await mineAsItIs()).toEqual(before)
  for (const path of [
    '/containers/wall-old/json',
    '/networks/wall-unused',
    '/volumes/wall-empty',
    '/images/wall-image/json',
  ]) {
    expect(await ask(demo, 'GET', path)).toMatchObject({ status: 200 })
  }
})
