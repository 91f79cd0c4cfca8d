import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import {
  allOf,
  type Context,
  faultOf,
  isOpenStackError,
  kinds,
  type VolumeCreate,
  type VolumeService,
  volumeService,
} from '@gantry/openstack'
import { vouchedFor } from '../sessions.ts'
import type { NewKeptVolume, VolumeBackend } from './backend.ts'
import { type CinderSides, cinderAttachments } from './cinder-attachments.ts'
import { asking, orNull } from './cinder-faults.ts'
import { backupOf, keptOf, snapshotOf } from './cinder-shapes.ts'
import type { BackendParts } from './parts.ts'

/** Volumes that Cinder keeps, by its API v3. */
export function cinder({ access, clock }: BackendParts): VolumeBackend {
  const own = volumeService(vouchedFor(access.service, access.service, () => true))
  const of = (caller: Caller) => volumeService(access.of(caller))
  const sides: CinderSides = { access, clock, own, of }
  return {
    name: 'cinder',
    noun: 'volume',
    manyWriters: false,
    async isThere() {
      try {
        await access.service.endpoint(kinds.volume, access.ownContext())
        return true
      } catch (error) {
        if (!isOpenStackError(error)) throw error
        if (error.failure === 'unfit') return false
        throw faultOf(error)
      }
    },
    volumes: volumesOf(sides),
    snapshots: snapshotsOf(sides),
    backups: backupsOf(sides),
    own: {
      get: async (id) => {
        const volume = await orNull(aVolume(id), () => own.volumes.show(id, access.ownContext()))
        return volume && keptOf(volume)
      },
      remove: (id) => asking(aVolume(id), async () => void (await own.volumes.remove(id, access.ownContext()))),
      async marked(key, value) {
        const filter = { all_tenants: true, metadata: JSON.stringify({ [key]: value }) }
        const list = () => allOf(own.volumes.list(filter, access.ownContext()))
        return (await asking(aVolume('*'), list)).map(keptOf).filter(({ metadata }) => metadata[key] === value)
      },
    },
    attachments: cinderAttachments(sides),
  }
}

const aVolume = (ref: string) => ({ type: 'volume', ref })
const aSnapshot = (ref: string) => ({ type: 'snapshot', ref })
const aBackup = (ref: string) => ({ type: 'backup', ref })

function volumesOf(sides: CinderSides): VolumeBackend['volumes'] {
  const { access, of } = sides
  return {
    async create(caller, input) {
      const context = access.contextOf(caller)
      const service = of(caller)
      const type = input.multiattach ? await multiattachType(service, input.type, context) : input.type
      const body = bodyOf(input, type)
      return keptOf(await asking(aVolume(input.name), () => service.volumes.create(body, context)))
    },
    async list(caller, { allProjects = false, name }) {
      const filter = { ...(allProjects && { all_tenants: true }), ...(name !== undefined && { name }) }
      const all = await asking(aVolume(name ?? ''), () =>
        allOf(of(caller).volumes.list(filter, access.contextOf(caller))),
      )
      return all.map(keptOf).filter((volume) => name === undefined || volume.name === name)
    },
    get: async (caller, id) => {
      const volume = await orNull(aVolume(id), () => of(caller).volumes.show(id, access.contextOf(caller)))
      return volume && keptOf(volume)
    },
    rename: async (caller, id, name) =>
      keptOf(await asking(aVolume(id), () => of(caller).volumes.update(id, { name }, access.contextOf(caller)))),
    extend: async (caller, id, size, inUse) => {
      await asking(aVolume(id), () => of(caller).extend(id, size, access.contextOf(caller)))
      await afterExtend(sides, id, size, inUse)
    },
    remove: (caller, id) =>
      asking(aVolume(id), async () => {
        if (!(await of(caller).volumes.remove(id, access.contextOf(caller)))) {
          throw new Fault('volume.not-found', { type: 'volume', ref: id })
        }
      }),
  }
}

function bodyOf(input: NewKeptVolume, type: string | undefined): VolumeCreate {
  const { name, size, description, availabilityZone: zone, snapshot, volume, backup, metadata } = input
  return {
    name,
    metadata: { ...metadata },
    ...(size !== undefined && { size }),
    ...(description !== undefined && { description }),
    ...(type !== undefined && { volume_type: type }),
    ...(zone !== undefined && { availability_zone: zone }),
    ...(snapshot !== undefined && { snapshot_id: snapshot }),
    ...(volume !== undefined && { source_volid: volume }),
    ...(backup !== undefined && { backup_id: backup }),
  }
}

/** Since Queens it is the type that makes a volume one for several hosts. */
async function multiattachType(service: VolumeService, asked: string | undefined, context: Context): Promise<string> {
  const types = await asking({ type: 'volume type', ref: asked ?? '' }, () => allOf(service.types.list({}, context)))
  const allows = ({ extra_specs: specs = {} }: (typeof types)[number]) =>
    /^<is>\s*true$/i.test(specs['multiattach'] ?? '')
  const remedy = 'An administrator makes one: openstack volume type create --property multiattach="<is> True" NAME'
  if (asked === undefined) {
    const found = types.find(allows)
    if (found) return found.id
    throw noSeveral(`this cloud has no volume type that allows it. ${remedy}`)
  }
  const named = types.find(({ id, name }) => id === asked || name === asked)
  if (!named) throw new Fault('volume.not-found', { type: 'volume type', ref: asked })
  if (!allows(named)) throw noSeveral(`volume type ${named.name} does not allow it. ${remedy}`)
  return named.id
}

function noSeveral(reason: string): Fault {
  return new Fault('request.unsupported', { feature: 'A volume for several hosts', reason })
}

/** Between looks at what Cinder makes of a call, and how long it is looked at. Milliseconds. */
const lookMs = 300
const extendMs = 20_000

/**
 * Many of Cinder's drivers extend only what is detached. Then Cinder calls the volume broken though nothing has happened to it,
 * and only an administrator can say that it is not.
 */
async function afterExtend(
  { access, clock, own }: CinderSides,
  id: string,
  size: number,
  inUse: boolean,
): Promise<void> {
  for (const until = clock.now() + extendMs; clock.now() < until; ) {
    const volume = await orNull(aVolume(id), () => own.volumes.show(id, access.ownContext()))
    if (!volume || volume.size >= size) return
    if (volume.status === 'error_extending') {
      await asking(aVolume(id), () => own.resetStatus(id, inUse ? 'in-use' : 'available', access.ownContext()))
      const while_ = inUse ? ' while a container has it; try again when none does' : ''
      throw new Fault('service.conflict', {
        service: 'volume',
        reason: `its storage could not extend the volume${while_}`,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

function snapshotsOf({ access, of }: CinderSides): NonNullable<VolumeBackend['snapshots']> {
  return {
    async create(caller, volumeId, name, inUse) {
      const body = { volume_id: volumeId, name, ...(inUse && { force: true }) }
      return snapshotOf(
        await asking(aVolume(volumeId), () => of(caller).snapshots.create(body, access.contextOf(caller))),
      )
    },
    async list(caller, filter) {
      const all = await asking(aSnapshot(''), () =>
        allOf(of(caller).snapshots.list({ ...filter }, access.contextOf(caller))),
      )
      return all.map(snapshotOf)
    },
    async get(caller, id) {
      const found = await orNull(aSnapshot(id), () => of(caller).snapshots.show(id, access.contextOf(caller)))
      return found && snapshotOf(found)
    },
    remove: (caller, id) =>
      asking(aSnapshot(id), async () => void (await of(caller).snapshots.remove(id, access.contextOf(caller)))),
  }
}

function backupsOf({ access, own, of }: CinderSides): NonNullable<VolumeBackend['backups']> {
  return {
    async create(caller, volumeId, name, inUse) {
      await requireBackups(own, access.ownContext())
      const body = { volume_id: volumeId, name, ...(inUse && { force: true }) }
      return backupOf(await asking(aVolume(volumeId), () => of(caller).backups.create(body, access.contextOf(caller))))
    },
    async list(caller, filter) {
      const all = await asking(aBackup(''), () =>
        allOf(of(caller).backups.list({ ...filter }, access.contextOf(caller))),
      )
      return all.map(backupOf)
    },
    async get(caller, id) {
      const found = await orNull(aBackup(id), () => of(caller).backups.show(id, access.contextOf(caller)))
      return found && backupOf(found)
    },
    remove: (caller, id) =>
      asking(aBackup(id), async () => void (await of(caller).backups.remove(id, access.contextOf(caller)))),
  }
}

/** Without the daemon Cinder accepts a backup, and then it fails. */
async function requireBackups(own: VolumeService, context: Context): Promise<void> {
  // Whoever may not ask for daemons lets Cinder find out.
  const runs = await own.runs('cinder-backup', context).catch((error: unknown) => {
    if (isOpenStackError(error, 403)) return true
    throw isOpenStackError(error) ? faultOf(error) : error
  })
  if (runs) return
  const reason = 'the cloud runs no cinder-backup; a snapshot or a copy (a new volume from this one) may do'
  throw new Fault('request.unsupported', { feature: 'A backup of a volume', reason })
}
