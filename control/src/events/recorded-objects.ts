import type { Capsule, Host, Image, Network, ProjectId, QuotaMap, Volume } from '@gantry/model'
import type { Change } from '../ports/change-table.ts'
import type { HostTable, Tables } from '../ports/store.ts'
import { objectChange } from './change-of.ts'

type Told = Pick<Tables, 'capsules' | 'hosts' | 'images' | 'networks' | 'quotas' | 'volumes'>

/** The tables of everything but containers, which also note in `changes` what is done to them. */
export function recordedObjects(tables: Tables, changes: Change[], now: () => number): Told {
  const tell: Tell = (type, object, data) => changes.push(objectChange(type, object, data, now()))
  return {
    capsules: { ...tables.capsules, ...recordedLife(tables.capsules, saying('capsule', capsuleData, tell)) },
    networks: recordedNetworks(tables, saying('network', networkData, tell)),
    volumes: recordedVolumes(tables, saying('volume', volumeData, tell)),
    images: recordedImages(tables, saying('image', imageData, tell)),
    hosts: recordedHosts(tables, tell),
    quotas: recordedQuotas(tables, tell),
  }
}

interface Owned {
  readonly id: string
  readonly projectId: ProjectId | null
}
type Data = Record<string, unknown>
type Tell = (type: string, object: Owned, data: Data) => unknown
type Say<T> = (verb: 'create' | 'update' | 'delete', object: T | undefined) => unknown

/** Nothing is said of what is not there. */
function saying<T extends Owned>(noun: string, dataOf: (object: T) => Data, tell: Tell): Say<T> {
  return (verb, object) => object && tell(`${noun}.${verb}`, object, dataOf(object))
}

interface Removable<Id, T> {
  get(id: Id): Promise<T | undefined>
  remove(id: Id): Promise<void>
}
interface Insertable<T> {
  insert(object: T): Promise<void>
}

/** The beginning and the end of an object, which are alike in all these tables. */
function recordedLife<Id, T>(
  table: Insertable<T> & Removable<Id, T>,
  say: Say<T>,
): Insertable<T> & Pick<Removable<Id, T>, 'remove'> {
  return {
    async insert(object) {
      await table.insert(object)
      say('create', object)
    },
    remove: recordedRemoval(table, say),
  }
}

function recordedRemoval<Id, T>(table: Removable<Id, T>, say: Say<T>): (id: Id) => Promise<void> {
  return async (id) => {
    const object = await table.get(id)
    await table.remove(id)
    say('delete', object)
  }
}

function recordedNetworks({ networks }: Tables, say: Say<Network>): Told['networks'] {
  return {
    ...networks,
    ...recordedLife(networks, say),
    async rename(id, name) {
      await networks.rename(id, name)
      say('update', await networks.get(id))
    },
  }
}

function recordedVolumes({ volumes }: Tables, say: Say<Volume>): Told['volumes'] {
  return {
    ...volumes,
    ...recordedLife(volumes, say),
    async update(id, change) {
      await volumes.update(id, change)
      if (change.status === undefined && change.size === undefined && change.name === undefined) return
      say('update', await volumes.get(id))
    },
  }
}

function recordedImages({ images }: Tables, say: Say<Image>): Told['images'] {
  return {
    ...images,
    ...recordedLife(images, say),
    async update(id, change) {
      await images.update(id, change)
      say('update', await images.get(id))
    },
  }
}

function recordedHosts({ hosts }: Tables, tell: Tell): Told['hosts'] {
  const say: Say<Host> = (verb, host) => host && tell(`host.${verb}`, nobodys(host.id), hostData(host))
  const upsertMany: HostTable['upsertMany'] = async (given) => {
    const fresh = new Set(await hosts.upsertMany(given))
    for (const { id, name, availabilityZone } of given) {
      if (fresh.has(id)) tell('host.create', nobodys(id), { name, availabilityZone })
    }
    return [...fresh]
  }
  return {
    ...hosts,
    async upsert(given) {
      await upsertMany([given])
    },
    upsertMany,
    async change(id, change) {
      await hosts.change(id, change)
      say('update', await hosts.get(id))
    },
    remove: recordedRemoval(hosts, say),
  }
}

/** Only administrators are told. */
const nobodys = (id: string): Owned => ({ id, projectId: null })

function recordedQuotas({ quotas }: Tables, tell: Tell): Told['quotas'] {
  const changed = (projectId: ProjectId, limits: Partial<QuotaMap> | null) =>
    tell('quota.update', { id: projectId, projectId }, { limits })
  return {
    ...quotas,
    async setProject(projectId, limits) {
      await quotas.setProject(projectId, limits)
      changed(projectId, limits)
    },
    async clearProject(projectId) {
      await quotas.clearProject(projectId)
      changed(projectId, null)
    },
    async setClass(name, limits) {
      await quotas.setClass(name, limits)
      tell('quota.update', nobodys(name), { class: name, limits })
    },
  }
}

const capsuleData = ({ name, userId, gone }: Capsule) => ({ name, owner: userId, gone })
const networkData = ({ name, shared, external }: Network) => ({ name, shared, external })
const volumeData = ({ name, size, status, userId }: Volume) => ({ name, size, status, owner: userId })
const imageData = ({ repo, tag, name, status }: Image) => ({ repo, tag, name, status })
const hostData = ({ name, availabilityZone, disabled, disabledReason, forcedDown }: Host) => ({
  name,
  availabilityZone,
  disabled,
  disabledReason,
  forcedDown,
})
