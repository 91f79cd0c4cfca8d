import type { CloudNetwork } from '../ports/cloud-network-table.ts'
import type { CloudPort } from '../ports/cloud-port-table.ts'
import type { CloudVolume } from '../ports/cloud-volume-table.ts'
import type { Tables } from '../ports/store.ts'
import type { NetworkId, VolumeId } from '@gantry/model'
import { ObjectRecorder } from './object-recorder.ts'
import type { RecordedTables } from './recorded-objects.ts'

export type CloudTables = 'cloudAttachments' | 'cloudNetworks' | 'cloudPorts' | 'cloudVolumes'

/**
 * What Gantry itself makes and takes away at the services of an OpenStack, as its rows of that tell it. What a user asks for is told by
 * the verbs (told-networks.ts, told-volumes.ts), and what others do there is not known here.
 */
export function recordedCloud(tables: Tables): RecordedTables<CloudTables> {
  const parts = [cloudPorts(tables), cloudNetworks(tables), cloudVolumes(tables)]
  return {
    tables: Object.assign({}, ...parts.map((part) => part.tables)) as Pick<Tables, CloudTables>,
    recorders: parts.flatMap(({ recorders }) => recorders),
  }
}

function cloudPorts({ cloudPorts }: Tables): RecordedTables<'cloudPorts'> {
  const of = (noun: string, dataOf: (row: CloudPort) => Readonly<Record<string, unknown>>) =>
    new ObjectRecorder<string, CloudPort>({ noun, get: (id) => cloudPorts.get(id), dataOf })
  const recorders = {
    port: of('port', ({ networkId, containerId }) => ({ networkId, deviceId: containerId })),
    group: of('security_group', ({ containerId }) => ({ deviceId: containerId })),
    address: of('floating_ip', () => ({})),
  }
  const table: Tables['cloudPorts'] = {
    ...cloudPorts,
    async insert(row) {
      const isNew = await cloudPorts.insert(row)
      // A given port is noted before Neutron is asked, and has not changed yet.
      if (isNew && !row.given && !row.leaving) recorders[row.kind].created(row)
      return isNew
    },
    async assign(id, containerId) {
      const isDone = await cloudPorts.assign(id, containerId)
      if (isDone) recorders.port.changed(id)
      return isDone
    },
    async remove(id) {
      const row = await cloudPorts.get(id)
      if (row) {
        const recorder = recorders[row.kind]
        recorder.seen(row)
        if (row.given) recorder.changed(id)
        else await recorder.going(id)
      }
      await cloudPorts.remove(id)
    },
  }
  return { tables: { cloudPorts: table }, recorders: Object.values(recorders) }
}

/** A row tells of a network once that is whole. */
function cloudNetworks({ cloudNetworks }: Tables): RecordedTables<'cloudNetworks'> {
  interface Whole extends Omit<CloudNetwork, 'id'> {
    readonly id: NetworkId
  }
  const recorder = new ObjectRecorder<NetworkId, Whole>({
    noun: 'network',
    get: async (id) => {
      const [row] = await cloudNetworks.ofNetworks([id])
      return row && { ...row, id }
    },
    dataOf: ({ usual }) => ({ usual }),
  })
  const table: Tables['cloudNetworks'] = {
    ...cloudNetworks,
    async insert(row) {
      await cloudNetworks.insert(row)
      if (row.networkId !== null) recorder.changed(row.networkId)
    },
    async finish(id, networkId, usual) {
      const [before] = await cloudNetworks.ofNetworks([networkId])
      await cloudNetworks.finish(id, networkId, usual)
      const [row] = await cloudNetworks.ofNetworks([networkId])
      if (before) recorder.changed(networkId)
      else if (row) recorder.created({ ...row, id: networkId })
    },
  }
  return { tables: { cloudNetworks: table }, recorders: [recorder] }
}

/** Whether a volume is in use shows in its attachments. */
function cloudVolumes({ cloudVolumes, cloudAttachments }: Tables): RecordedTables<'cloudAttachments' | 'cloudVolumes'> {
  const recorder = new ObjectRecorder<VolumeId, CloudVolume>({
    noun: 'volume',
    get: (id) => cloudVolumes.get(id),
    dataOf: ({ size, userId }) => ({ size, owner: userId }),
  })
  const volumes: Tables['cloudVolumes'] = {
    ...cloudVolumes,
    async insert(row) {
      const isNew = await cloudVolumes.insert(row)
      // Others are there already, or made by a verb, which tells of them.
      if (isNew && row.containerId !== null && !row.leaving) recorder.created(row)
      return isNew
    },
    async update(id, change) {
      await cloudVolumes.update(id, change)
      if (change.size !== undefined) recorder.changed(id)
    },
    async remove(id) {
      const row = await cloudVolumes.get(id)
      // Else it is only forgotten here.
      if (row?.leaving) {
        recorder.seen(row)
        await recorder.going(id)
      }
      await cloudVolumes.remove(id)
    },
  }
  const attachments: Tables['cloudAttachments'] = {
    ...cloudAttachments,
    async insert(row) {
      await cloudAttachments.insert(row)
      if (row.serviceId !== null) recorder.changed(row.volumeId)
    },
    async update(id, change) {
      await cloudAttachments.update(id, change)
      if (change.serviceId === undefined && change.completed === undefined) return
      const row = await cloudAttachments.get(id)
      if (row) recorder.changed(row.volumeId)
    },
    async remove(id) {
      const row = await cloudAttachments.get(id)
      await cloudAttachments.remove(id)
      if (row) recorder.changed(row.volumeId)
    },
  }
  return { tables: { cloudVolumes: volumes, cloudAttachments: attachments }, recorders: [recorder] }
}
