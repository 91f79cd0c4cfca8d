import { existsSync, readdirSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hostTag, namespaceName } from '@gantry/host'
import { isSettled } from './checker.ts'
import type { Client, User } from './client.ts'
import type { FinalState, Held, Listed, ProjectState, Violation, VolumeRead } from './history.ts'
import { publishedOf } from './port-reader.ts'
import { readVolumes } from './volume-reader.ts'
import { eventually } from './waiting.ts'
import type { World } from './world.ts'

export interface Aftermath {
  readonly world: World
  readonly client: Client
  readonly admin: User
  readonly users: readonly User[]
  /** Containers that a project may have. */
  readonly limit: number
}

type Json = Record<string, unknown>

/** Everything as it is when all containers have come to rest, or when the time is up. */
export async function finalState(after: Aftermath, seconds: number): Promise<FinalState> {
  await eventually(async () => {
    const projects = await projectsOf(after)
    const held = await heldBy(after.world)
    const containers = projects.flatMap((project) => project.containers)
    // An engine may be a moment behind with what nobody needs any more.
    const known = new Set(containers.map(({ id }) => id))
    return containers.every(isSettled) && held.every(({ container }) => known.has(container))
  }, seconds)
  const { client, users, world } = after
  const projects = await projectsOf(after)
  const machines = world.hosts.map(({ machine }) => machine)
  const published = projects.map(async (state, at) => {
    const user = users[at]
    return user ? publishedOf(client, user, state, machines) : []
  })
  const held = await heldBy(world)
  return { projects, held, published: (await Promise.all(published)).flat(), crashes: world.crashes }
}

async function projectsOf({ client, admin, users, limit }: Aftermath): Promise<ProjectState[]> {
  const read = async (path: string): Promise<Json> => {
    const { status, text, json } = await client.ask(admin, { method: 'GET', path })
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text}`)
    return json as Json
  }
  return Promise.all(
    users.map(async ({ project, projectId }) => {
      const query = `allProjects=true&project=${projectId}&limit=1000`
      const { containers } = (await read(`/v1/containers?${query}`)) as { containers: Json[] }
      const { used } = (await read(`/v1/quotas/${projectId}`)) as { used: { containers: number; memory: number } }
      return { project, containers: containers.map(listedOf), limit, used }
    }),
  )
}

function listedOf(view: Json): Listed {
  const text = (name: string) => (typeof view[name] === 'string' ? view[name] : null)
  return {
    id: text('id') ?? '',
    name: text('name') ?? '',
    status: text('status') ?? '',
    reason: text('statusReason'),
    task: text('task'),
    host: text('host'),
    memory: Number(view['memory']),
  }
}

/** By `inspect`: after a full disk, Docker's list goes on telling of a container that runs as `created`. */
async function heldBy(world: World): Promise<Held[]> {
  const all = world.hosts.map(async ({ engine, machine }) => {
    const ids = (await engine.docker('ps', '-aq', '--no-trunc')).split('\n').filter((id) => id !== '')
    if (ids.length === 0) return []
    const format = '{{index .Config.Labels "gantry.container"}} {{.State.Status}}'
    const lines = await engine.docker('inspect', '--format', format, ...ids)
    return lines
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([container]) => container !== '')
      .map(([container = '', state = '']) => ({ host: machine.name, container, state }))
  })
  return (await Promise.all(all)).flat()
}

/** Deletes all containers, reads what their volumes hold, and deletes those too. */
export async function deleteAll(after: Aftermath, seconds: number): Promise<VolumeRead[]> {
  const { client, users } = after
  const containersOf = async (user: User): Promise<readonly { id: string }[]> => {
    const { json } = await client.ask(user, { method: 'GET', path: '/v1/containers?limit=1000' })
    const { containers } = json as { containers?: { id: string }[] }
    if (!containers) throw new Error('no list of containers came')
    return containers
  }
  const all = users.map(async (user) => {
    // Again and again, because an answer may not have come: a connection that a fault broke is noticed when it is used.
    await eventually(async () => {
      const containers = await containersOf(user)
      for (const { id } of containers) {
        await client.ask(user, { method: 'DELETE', path: `/v1/containers/${id}?stop=true` })
      }
      return containers.length === 0
    }, seconds)
    return readVolumes(client, user)
  })
  return (await Promise.all(all)).flat()
}

/** What stays although all that needed it was deleted. */
export async function leftBehind(after: Aftermath, seconds: number): Promise<Violation[]> {
  const { world } = after
  let left: string[] = []
  await eventually(async () => {
    left = [...(await listedRests(after)), ...(await hostRests(world))]
    // For who wonders what took so long.
    await appendFile(join(world.folder, 'rests.log'), `${JSON.stringify({ time: Date.now(), left })}\n`)
    return left.length === 0
  }, seconds)
  return left.map((text) => ({ kind: 'left behind', text }))
}

async function listedRests({ client, users }: Aftermath): Promise<string[]> {
  const rests: string[] = []
  for (const user of users) {
    for (const what of ['containers', 'ports', 'volumes'] as const) {
      const { status, json } = await client.ask(user, { method: 'GET', path: `/v1/${what}` })
      const list = (json as Record<string, { id: string; deviceOwner?: string }[]>)[what]
      if (!list) throw new Error(`GET ${what}: ${status}`)
      // The leg of the project's router stays with its network.
      const rest = list.filter(({ deviceOwner }) => !deviceOwner?.includes('router'))
      rests.push(...rest.map((one) => `${what} of ${user.project}: ${JSON.stringify(one)}`))
    }
    const { json } = await client.ask(user, { method: 'GET', path: '/v1/quotas' })
    const { used } = json as { used: Record<string, number> }
    for (const name of ['containers', 'memory', 'cpu', 'disk']) {
      if (used[name] !== 0) rests.push(`${user.project} is counted ${used[name]} ${name} and has none`)
    }
  }
  return rests
}

async function hostRests(world: World): Promise<string[]> {
  const held = (await heldBy(world)).map(
    ({ host, container, state }) => `${container} in the engine of ${host}: ${state}`,
  )
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  const namespaces = world.hosts.flatMap(({ deployment, machine }) => {
    const prefix = namespaceName(hostTag(deployment()), '')
    return names.filter((name) => name.startsWith(prefix)).map((name) => `namespace ${name} of ${machine.name}`)
  })
  return [...held, ...namespaces]
}
