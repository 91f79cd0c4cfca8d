import { zunFacade } from '@gantry/facade-zun'
import { createHttpApp, type Verifier } from '@gantry/http'
import {
  type Container,
  type ContainerId,
  defaultSpec,
  type Status,
  statuses,
  transitions,
  type Verb,
} from '@gantry/model'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { aCaller, aWorld, type World } from '../../apps/server/src/testing/a-world.ts'
import { quietLog } from '../../facades/zun/src/testing/fake-cloud.ts'
import { type StateRequest, stateRequests, willingHost } from './state-requests.ts'

/** Every action in every status, over HTTP, on the real control and store; only the host is simulated. */

const owner = aCaller('p1')
const admin = aCaller('p1', ['admin'])
const verifier: Verifier = {
  verify: async (token, requestId) => ({ ...(token === 'admin' ? admin : owner), requestId }),
}

/** How a container comes into a status. */
interface Way {
  /** As what it begins; running unless told. */
  readonly from?: 'created' | 'placed'
  /** Once, before the containers are made. */
  readonly before?: (world: World) => Promise<void>
  /** Once, when all of them are there. */
  readonly upset?: (world: World) => Promise<void>
  /** With each of them. */
  readonly each?: (world: World, id: ContainerId) => Promise<unknown>
  readonly hostLostAfterMs?: number
}

const loseHost = ({ host }: World) => host.disconnect()
const ways: Readonly<Record<Status, Way>> = {
  Creating: { from: 'placed', before: loseHost },
  Created: { from: 'created' },
  Running: {},
  Stopped: { each: ({ control }, id) => control.containers.stop(owner, id, { graceSeconds: 0 }) },
  Paused: { each: ({ control }, id) => control.containers.pause(owner, id) },
  Restarting: { each: ({ host }, id) => host.becomes(id, { state: 'restarting' }) },
  Rebuilding: { upset: loseHost, each: ({ control }, id) => control.containers.rebuild(owner, id, {}) },
  Deleting: {
    upset: loseHost,
    each: ({ control }, id) => control.containers.delete(owner, id, { force: false, stop: true }),
  },
  // A container that can still be asked for never has this one: it is told of those that are no more.
  Deleted: { each: ({ store }, id) => store.containers.update(id, { status: 'Deleted' }) },
  Error: {
    async upset({ host }) {
      host.failing = { step: 'start', reason: 'no such file' }
    },
    async each({ control, host }, id) {
      await host.exit(id, 1)
      await control.containers.start(owner, id)
    },
  },
  Unknown: { upset: loseHost, hostLostAfterMs: 20 },
  Dead: { each: ({ host }, id) => host.becomes(id, { state: 'dead' }) },
}

const cases = Object.entries(stateRequests).flatMap(([verb, requests]) =>
  requests.map((request) => ({ verb: verb as Verb, request })),
)

describe.each(statuses)('%s', (status) => {
  let world: World
  let close: () => Promise<void>
  let origin = ''
  const made = new Map<StateRequest | 'leave', ContainerId>()

  beforeAll(async () => {
    const { from, before, upset, each, hostLostAfterMs } = ways[status]
    const policy = hostLostAfterMs === undefined ? {} : { hostLostAfterMs }
    world = await aWorld({ calls: willingHost(() => world), policy })
    await furnish(world)
    const app = createHttpApp({ log: quietLog() })
    await app.register(zunFacade, { prefix: '/container', control: world.control, verifier })
    origin = await app.listen({ host: '127.0.0.1', port: 0 })
    close = () => app.close()
    await before?.(world)
    for (const key of [...cases.map(({ request }) => request), 'leave' as const]) {
      made.set(key, await make(world, from ?? 'running'))
    }
    await world.host.idle()
    await upset?.(world)
    for (const id of made.values()) await each?.(world, id)
    await world.host.idle()
    for (const id of made.values()) await until(world, id, (container) => container.status === status)
    world.host.failing = null
  })
  afterAll(async () => {
    await close()
    await world[Symbol.asyncDispose]()
  })

  const ask = async ([method, path, options = {}]: StateRequest, id: ContainerId) => {
    const { body, version = '1.40', token = 'owner' } = options
    const response = await fetch(`${origin}/container/v1/containers/${id}${path}`, {
      method,
      headers: {
        'x-auth-token': token,
        'openstack-api-version': `container ${version}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, body: await response.text() }
  }

  test.each(cases)('$verb: $request', async ({ verb, request }) => {
    const answer = await ask(request, made.get(request) as ContainerId)
    const allowed = (transitions[verb] as readonly Status[]).includes(status)
    // Being asked twice to go is no contradiction.
    const again = status === 'Deleting' && request[0] === 'DELETE'
    if (allowed || again) return expect(answer.status, answer.body).toBeLessThan(400)
    // A client swallows only a 400 when its window changes while the process ends.
    const refusal = verb === 'resize_tty' ? [400, 'container.invalid'] : [409, 'container.invalid-state-exception']
    expect(answer.status, answer.body).toBe(refusal[0])
    expect(answer.body).toContain(`"${refusal[1]}"`)
  })

  test('its owner can leave it by delete', async () => {
    const id = made.get('leave') as ContainerId
    expect((await ask(['DELETE', '?stop=true'], id)).status).toBe(204)
    await world.host.connect()
    await world.host.idle()
    expect((await ask(['GET', ''], id)).status).toBe(404)
    expect(world.host.engine.has(id)).toBe(false)
    expect(await world.control.network.ports.list(owner, { device: id })).toEqual([])
  })
})

async function furnish({ control }: World): Promise<void> {
  for (const [number, name] of ['first', 'second'].entries()) {
    await control.network.networks.create(owner, { name, shared: false, external: false })
    await control.network.subnets.create(owner, { network: name, name, cidr: `10.0.${number}.0/24` })
  }
  await control.network.groups.create(owner, { name: 'extra', description: '' })
  await control.quotas.set(admin, owner.projectId, { containers: -1, cpu: -1 })
}

async function make(world: World, as: 'running' | 'created' | 'placed'): Promise<ContainerId> {
  const { id } = await world.control.containers.create(owner, {
    name: null,
    spec: { ...defaultSpec('busybox'), cpu: 0.1, memory: 32, interactive: true, tty: true },
    run: as !== 'created',
    nets: [{ network: 'first', addresses: [] }],
  })
  const wanted = as === 'running' ? 'Running' : as === 'created' ? 'Created' : 'Creating'
  await until(world, id, ({ status, hostId }) => status === wanted && hostId !== null)
  return id
}

function until({ store }: World, id: ContainerId, done: (container: Container) => boolean): Promise<void> {
  const look = async () => {
    const container = await store.containers.get(id)
    if (!container || !done(container)) throw new Error(`${id} is ${container?.status}: ${container?.statusReason}`)
  }
  return vi.waitFor(look, { interval: 2, timeout: 5000 })
}
