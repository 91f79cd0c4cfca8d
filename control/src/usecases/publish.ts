import type { Caller, Container, ContainerId, Nic, Publish } from '@gantry/model'
import type { Deps } from '../deps.ts'
import { type Lock, projectLock, type Tables } from '../ports/store.ts'

/**
 * Leads the public ports of a container to it, in the transaction that starts it. Answers its nics, which are others where
 * ports had to be opened. Throws `port.allocated`, and what the network provider throws.
 */
export async function publishPorts(
  deps: Pick<Deps, 'networks'>,
  tables: Tables,
  caller: Caller,
  container: Publishing,
  /** Of `publishAhead`. */
  made?: readonly Nic[],
): Promise<readonly Nic[]> {
  const { id, name, nics: before } = container
  const { ports, missing, owner } = plan(container, caller)
  if (ports.length === 0) return before
  const nics = missing.length === 0 ? before : await deps.networks.expose(tables, owner, id, before, missing, made)
  await deps.networks.publish(tables, owner, { containerId: id, name, nics, ports, yields: yieldsIn(tables) })
  return nics
}

/** What of it another service must do, before the transaction; answers the nics for `publishPorts`. */
export async function publishAhead(
  { networks: { remote }, store }: Pick<Deps, 'networks' | 'store'>,
  caller: Caller,
  container: Publishing,
): Promise<readonly Nic[] | undefined> {
  if (!remote) return undefined
  const { id, name, nics: before } = container
  const { ports, missing, owner } = plan(container, caller)
  if (ports.length === 0) return before
  const nics = missing.length === 0 ? before : await remote.expose(owner, id, before, missing)
  await remote.publish(owner, { containerId: id, name, nics, ports, yields: yieldsIn(store) })
  return nics
}

/**
 * What a verb on this container must exclude: all of its project or, if it may take public ports, of which all projects have the
 * same, every other writer.
 */
export function locksFor({ projectId, spec }: Pick<Container, 'projectId' | 'spec'>): Lock[] {
  const { publish = [], publishAll = false } = spec.options ?? {}
  return publish.length > 0 || publishAll ? [] : [projectLock(projectId)]
}

type Publishing = Pick<Container, 'id' | 'name' | 'projectId' | 'spec' | 'nics' | 'observed'>

function plan(container: Publishing, caller: Caller) {
  const { spec, nics, projectId } = container
  const ports = nics.length === 0 ? [] : [...(spec.options?.publish ?? []), ...others(container)]
  const opened = [...new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`))]
  const missing = opened.filter((port) => !spec.exposedPorts.includes(port))
  // An administrator starts a tenant's container with what is the tenant's.
  return { ports, missing, owner: { ...caller, projectId } }
}

/** With `publishAll`, what it or its image exposes and is not published by itself. */
function others({ spec, observed }: Pick<Container, 'spec' | 'observed'>): Publish[] {
  if (spec.options?.publishAll !== true) return []
  const said = new Set((spec.options.publish ?? []).map((each) => `${each.containerPort}/${each.protocol}`))
  const exposed = new Set([...spec.exposedPorts, ...(observed.engine?.ports ?? [])])
  return [...exposed].flatMap((text): Publish[] => {
    const [, digits = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? []
    const containerPort = Number(digits)
    if (containerPort < 1 || containerPort > 65_535 || said.has(`${containerPort}/${protocol}`)) return []
    return [{ protocol: protocol === 'udp' ? 'udp' : 'tcp', containerPort, publicPort: null, address: null }]
  })
}

/** Public ports stay with a container that has stopped, for as long as nobody else asks for them. */
function yieldsIn(tables: Pick<Tables, 'containers'>): (id: ContainerId) => Promise<boolean> {
  return async (id) => {
    const holder = await tables.containers.get(id)
    return !holder || !isLive(holder)
  }
}

const live: readonly Container['status'][] = ['Running', 'Paused', 'Restarting', 'Rebuilding', 'Unknown']

/** It runs, or is about to. */
export function isLive({ wish, status, task }: Container): boolean {
  if (wish.gone || wish.power.kind !== 'running') return false
  return task !== null || live.includes(status)
}
