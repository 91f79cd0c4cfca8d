import type { Capsule, Host, Image, Network, ProjectId, QuotaMap, Volume } from '@gantry/model'
import type { Change } from '../ports/change-table.ts'
import type { Tables } from '../ports/store.ts'
import { objectChange } from './change-of.ts'

type Told = Pick<Tables, 'capsules' | 'hosts' | 'images' | 'networks' | 'quotas' | 'volumes'>

/** The tables of everything but containers, which also note in `changes` what is done to them. */
export function recordedObjects(tables: Tables, changes: Change[], now: () => number): Told {
  const tell = (type: string, object: Parameters<typeof objectChange>[1], data: Record<string, unknown>) =>
    changes.push(objectChange(type, object, data, now()))
  return {
    ...recordedNouns(tables, tell),
    ...recordedImages(tables, tell),
    hosts: recordedHosts(tables, tell),
    quotas: recordedQuotas(tables, tell),
  }
}

type Tell = (
  type: string,
  object: { id: string; projectId: ProjectId | null },
  data: Record<string, unknown>,
) => unknown

function recordedNouns(tables: Tables, tell: Tell): Pick<Told, 'capsules' | 'networks' | 'volumes'> {
  const { capsules, networks, volumes } = tables
  return {
    capsules: {
      ...capsules,
      async insert(capsule) {
        await capsules.insert(capsule)
        tell('capsule.create', capsule, capsuleData(capsule))
      },
      async remove(id) {
        const capsule = await capsules.get(id)
        await capsules.remove(id)
        if (capsule) tell('capsule.delete', capsule, capsuleData(capsule))
      },
    },
    networks: {
      ...networks,
      async insert(network) {
        await networks.insert(network)
        tell('network.create', network, networkData(network))
      },
      async rename(id, name) {
        await networks.rename(id, name)
        const network = await networks.get(id)
        if (network) tell('network.update', network, networkData(network))
      },
      async remove(id) {
        const network = await networks.get(id)
        await networks.remove(id)
        if (network) tell('network.delete', network, networkData(network))
      },
    },
    volumes: {
      ...volumes,
      async insert(volume) {
        await volumes.insert(volume)
        tell('volume.create', volume, volumeData(volume))
      },
      async update(id, change) {
        await volumes.update(id, change)
        if (change.status === undefined && change.size === undefined && change.name === undefined) return
        const volume = await volumes.get(id)
        if (volume) tell('volume.update', volume, volumeData(volume))
      },
      async remove(id) {
        const volume = await volumes.get(id)
        await volumes.remove(id)
        if (volume) tell('volume.delete', volume, volumeData(volume))
      },
    },
  }
}

function recordedImages({ images }: Tables, tell: Tell): Pick<Told, 'images'> {
  return {
    images: {
      ...images,
      async insert(image) {
        await images.insert(image)
        tell('image.create', image, imageData(image))
      },
      async update(id, change) {
        await images.update(id, change)
        const image = await images.get(id)
        if (image) tell('image.update', image, imageData(image))
      },
      async remove(id) {
        const image = await images.get(id)
        await images.remove(id)
        if (image) tell('image.delete', image, imageData(image))
      },
    },
  }
}

/** Hosts are nobody's: only administrators are told. */
function recordedHosts({ hosts }: Tables, tell: Tell): Told['hosts'] {
  const told = (type: string, host: Host) => tell(type, { id: host.id, projectId: null }, hostData(host))
  return {
    ...hosts,
    async upsert(given) {
      const before = await hosts.get(given.id)
      await hosts.upsert(given)
      if (!before) {
        const data = { name: given.name, availabilityZone: given.availabilityZone }
        tell('host.create', { id: given.id, projectId: null }, data)
      }
    },
    async change(id, change) {
      await hosts.change(id, change)
      const host = await hosts.get(id)
      if (host) told('host.update', host)
    },
    async remove(id) {
      const host = await hosts.get(id)
      await hosts.remove(id)
      if (host) told('host.delete', host)
    },
  }
}

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
      tell('quota.update', { id: name, projectId: null }, { class: name, limits })
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
