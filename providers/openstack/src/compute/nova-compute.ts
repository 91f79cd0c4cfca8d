import { setTimeout as sleep } from 'node:timers/promises'
import type { Boot, ComputeProvider, FoundInstance, InstanceSize } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { InstanceId } from '@gantry/model'
import {
  allOf,
  computeService,
  type Context,
  type Flavor,
  isOpenStackError,
  type Server,
  type ServerCreate,
} from '@gantry/openstack'
import type { CloudAccess } from '../cloud-access.ts'
import type { NovaServers } from './nova-settings.ts'
import { userData } from './user-data.ts'

export interface NovaComputeOptions {
  /** Its service user owns the servers. */
  readonly access: CloudAccess
  readonly servers: NovaServers
  readonly deployment: string
}

const deploymentKey = 'gantry_deployment'
const instanceKey = 'gantry_instance'
const tokenKey = 'gantry_token'
const projectKey = 'gantry_project'

/** How long Nova may take to make a server be gone, and how often that is looked at: it tells nobody. */
const goneMs = 120_000
const lookMs = 1000
/** Nova goes on with a request whose asker is gone, and shows the server once it has checked the request. */
const lateMs = 30_000

/** Servers of Nova's as hosts. Ours are known by their metadata; the user's other servers are never asked to do anything. */
export function novaCompute({ access, servers: wish, deployment }: NovaComputeOptions): ComputeProvider {
  const nova = computeService(access.service)
  const contextFor = (signal: AbortSignal): Context => {
    const own = access.ownContext()
    return { ...own, signal: own.signal ? AbortSignal.any([own.signal, signal]) : signal }
  }
  let flavor: Promise<Flavor> | null = null
  const flavorOf = (signal: AbortSignal) => {
    flavor ??= findFlavor(signal).catch((error: unknown) => {
      flavor = null
      throw error
    })
    return flavor
  }
  async function findFlavor(signal: AbortSignal): Promise<Flavor> {
    const all = await inWords(allOf(nova.flavors.list({}, contextFor(signal))))
    const found = all.find(({ id, name }) => id === wish.flavor || name === wish.flavor)
    if (found) return found
    throw refused(`it has no flavor ${wish.flavor}; it has ${all.map(({ name }) => name).join(', ')}`)
  }
  const isOurs = ({ metadata }: Server) => metadata?.[deploymentKey] === deployment
  const list = async (signal: AbortSignal): Promise<Server[]> =>
    (await inWords(allOf(nova.servers.list({ name: '^gantry-' }, contextFor(signal))))).filter(isOurs)
  const show = (id: string, signal: AbortSignal): Promise<Server | null> =>
    nova.servers.show(id, contextFor(signal)).catch((error: unknown) => {
      if (isOpenStackError(error, 404)) return null
      throw failed(error)
    })
  return {
    name: 'Nova',
    lateMs,
    async size(signal): Promise<InstanceSize> {
      const { vcpus, ram, disk } = await flavorOf(signal)
      return { cpus: vcpus, memory: ram, disk }
    },
    async create(boot, signal) {
      const { id } = await flavorOf(signal)
      return (await inWords(nova.servers.create(bodyOf(boot, wish, id, deployment), contextFor(signal)))).id
    },
    list: async (signal) =>
      (await list(signal)).map(({ id, metadata = {}, status, fault }): FoundInstance => {
        const problem = status === 'ERROR' ? (fault?.message ?? 'its status is ERROR') : null
        return {
          providerId: id,
          id: (metadata[instanceKey] ?? '') as InstanceId,
          tokenId: metadata[tokenKey] ?? '',
          problem,
        }
      }),
    async delete(providerId, signal) {
      const found = await show(providerId, signal)
      if (!found || !isOurs(found)) return
      await inWords(nova.servers.remove(providerId, contextFor(signal)))
      for (let waited = 0; waited < goneMs; waited += lookMs) {
        if ((await show(providerId, signal)) === null) return
        await sleep(lookMs, undefined, { signal })
      }
      throw new Fault('compute.failed', { provider: 'Nova', reason: `server ${providerId} is not gone` })
    },
  }
}

function bodyOf(boot: Boot, wish: NovaServers, flavorRef: string, deployment: string): ServerCreate {
  const { networks, key_name, security_groups, availability_zone } = wish
  return {
    name: boot.name,
    flavorRef,
    imageRef: wish.image,
    networks: networks === 'auto' ? networks : networks.map((uuid) => ({ uuid })),
    metadata: {
      [deploymentKey]: deployment,
      [instanceKey]: boot.id,
      [tokenKey]: boot.tokenId,
      ...(boot.projectId !== null && { [projectKey]: boot.projectId }),
    },
    user_data: Buffer.from(userData(boot, wish)).toString('base64'),
    ...(key_name !== undefined && { key_name }),
    ...(availability_zone !== undefined && { availability_zone }),
    ...(security_groups && { security_groups: security_groups.map((name) => ({ name })) }),
  }
}

async function inWords<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    throw failed(error)
  }
}

/** Over its quota (403), not as it is wished (400), not there (404): the same a minute later. */
function failed(error: unknown): unknown {
  if (!isOpenStackError(error)) return error
  return error.failure === 'answer' && [400, 403, 404].includes(error.status ?? 0)
    ? refused(error.reason, error)
    : new Fault('compute.failed', { provider: 'Nova', reason: error.reason }, error)
}

function refused(reason: string, cause?: unknown): Fault {
  return new Fault('compute.refused', { provider: 'Nova', reason }, cause)
}
