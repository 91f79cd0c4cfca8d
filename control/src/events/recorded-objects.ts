import type { BackupId, Capsule, CapsuleId, Host, Image, ImageId, ProjectId, QuotaMap } from '@gantry/model'
import type { Registry, RegistryId, Snapshot, SnapshotId, Volume, VolumeId } from '@gantry/model'
import type { KeptBackup } from '../ports/backup-table.ts'
import type { Change } from '../ports/change-table.ts'
import type { NetworkTables } from '../ports/network-tables.ts'
import type { HostTable, Tables } from '../ports/store.ts'
import { objectChange } from './change-of.ts'
import { copyData, volumeData } from './object-data.ts'
import { ObjectRecorder, recordedLife, recordedUpdate } from './object-recorder.ts'
import { type CloudTables, recordedCloud } from './recorded-cloud.ts'
import { recordedNetworks } from './recorded-networks.ts'

/** Some tables, and who watches what is done to them. */
export interface RecordedTables<K extends keyof Tables> {
  readonly tables: Pick<Tables, K>
  readonly recorders: readonly Recorder[]
}

interface Recorder {
  /** What is to be told, once all is done. */
  changes(at: number): Promise<Change[]>
}

type Told =
  | keyof NetworkTables
  | 'backups'
  | 'capsules'
  | CloudTables
  | 'hosts'
  | 'images'
  | 'quotas'
  | 'registries'
  | 'snapshots'
  | 'volumes'

/** The tables of everything but containers, watched for one transaction. */
export function recordedObjects(tables: Tables, now: () => number) {
  const parts = [capsules(tables), volumes(tables), snapshots(tables), backups(tables), images(tables)]
  const rest = [
    registries(tables),
    recordedNetworks(tables),
    recordedCloud(tables),
    hosts(tables, now),
    quotas(tables, now),
  ]
  const all = [...parts, ...rest]
  return {
    tables: Object.assign({}, ...all.map((part) => part.tables)) as Pick<Tables, Told>,
    recorders: all.flatMap(({ recorders }) => recorders),
  }
}

function capsules({ capsules }: Tables): RecordedTables<'capsules'> {
  const recorder = new ObjectRecorder<CapsuleId, Capsule>({
    noun: 'capsule',
    get: (id) => capsules.get(id),
    dataOf: ({ name, userId, gone }) => ({ name, owner: userId, gone }),
  })
  // What is read of one is old when it is removed: it has been marked as gone in between.
  const table: Tables['capsules'] = { ...capsules, ...recordedLife(capsules, recorder), get: (id) => capsules.get(id) }
  return { tables: { capsules: table }, recorders: [recorder] }
}

function volumes({ volumes }: Tables): RecordedTables<'volumes'> {
  const recorder = new ObjectRecorder<VolumeId, Volume>({
    noun: 'volume',
    get: (id) => volumes.get(id),
    dataOf: volumeData,
  })
  const table: Tables['volumes'] = {
    ...volumes,
    ...recordedLife(volumes, recorder),
    async update(id, change) {
      await volumes.update(id, change)
      const { status, size, name } = change
      if (status !== undefined || size !== undefined || name !== undefined) recorder.changed(id, change)
    },
  }
  return { tables: { volumes: table }, recorders: [recorder] }
}

function snapshots({ snapshots }: Tables): RecordedTables<'snapshots'> {
  const recorder = new ObjectRecorder<SnapshotId, Snapshot>({
    noun: 'snapshot',
    get: (id) => snapshots.get(id),
    dataOf: copyData,
  })
  const table: Tables['snapshots'] = {
    ...snapshots,
    ...recordedLife(snapshots, recorder),
    ...recordedUpdate(snapshots, recorder),
  }
  return { tables: { snapshots: table }, recorders: [recorder] }
}

function backups({ backups }: Tables): RecordedTables<'backups'> {
  const recorder = new ObjectRecorder<BackupId, KeptBackup>({
    noun: 'backup',
    get: (id) => backups.get(id),
    dataOf: copyData,
  })
  const table: Tables['backups'] = {
    ...backups,
    ...recordedLife(backups, recorder),
    ...recordedUpdate(backups, recorder),
  }
  return { tables: { backups: table }, recorders: [recorder] }
}

function images({ images }: Tables): RecordedTables<'images'> {
  const recorder = new ObjectRecorder<ImageId, Image>({
    noun: 'image',
    get: (id) => images.get(id),
    dataOf: ({ repo, tag, name, status }) => ({ repo, tag, name, status }),
  })
  const table: Tables['images'] = {
    ...images,
    ...recordedLife(images, recorder),
    ...recordedUpdate(images, recorder),
  }
  return { tables: { images: table }, recorders: [recorder] }
}

function registries({ registries }: Tables): RecordedTables<'registries'> {
  const get = async (id: RegistryId) => (await registries.find(null, id)).find((found) => found.id === id)
  const recorder = new ObjectRecorder<RegistryId, Registry>({
    noun: 'registry',
    get,
    dataOf: ({ name, domain }) => ({ name, domain }),
  })
  const table: Tables['registries'] = {
    ...registries,
    ...recordedLife({ ...registries, get }, recorder),
    ...recordedUpdate(registries, recorder),
  }
  return { tables: { registries: table }, recorders: [recorder] }
}

function hosts({ hosts }: Tables, now: () => number): RecordedTables<'hosts'> {
  const told: Change[] = []
  const say = (verb: string, id: string, data: Record<string, unknown>) =>
    told.push(objectChange(`host.${verb}`, nobodys(id), data, now()))
  const upsertMany: HostTable['upsertMany'] = async (given) => {
    const fresh = new Set(await hosts.upsertMany(given))
    for (const { id, name, availabilityZone } of given) {
      if (fresh.has(id)) say('create', id, { name, availabilityZone })
    }
    return [...fresh]
  }
  const table: HostTable = {
    ...hosts,
    async upsert(given) {
      await upsertMany([given])
    },
    upsertMany,
    async change(id, change) {
      await hosts.change(id, change)
      const host = await hosts.get(id)
      if (host) say('update', id, hostData(host))
    },
    async remove(id) {
      const host = await hosts.get(id)
      await hosts.remove(id)
      if (host) say('delete', id, hostData(host))
    },
  }
  return { tables: { hosts: table }, recorders: [{ changes: async () => told }] }
}

const hostData = ({ name, availabilityZone, disabled, disabledReason, forcedDown }: Host) => ({
  name,
  availabilityZone,
  disabled,
  disabledReason,
  forcedDown,
})

/** Only administrators are told. */
const nobodys = (id: string) => ({ id, projectId: null })

function quotas({ quotas }: Tables, now: () => number): RecordedTables<'quotas'> {
  const told: Change[] = []
  const changed = (projectId: ProjectId, limits: Partial<QuotaMap> | null) =>
    told.push(objectChange('quota.update', { id: projectId, projectId }, { limits }, now()))
  const table: Tables['quotas'] = {
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
      told.push(objectChange('quota.update', nobodys(name), { class: name, limits }, now()))
    },
  }
  return { tables: { quotas: table }, recorders: [{ changes: async () => told }] }
}
