import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import {
  allOf,
  type Context,
  firstOf,
  isOpenStackError,
  kinds,
  type Share,
  type ShareCreate,
  type ShareService,
  shareService,
} from '@gantry/openstack'
import { vouchedFor } from '../sessions.ts'
import type { KeptVolume, NewKeptVolume, VolumeBackend } from './backend.ts'
import { manilaAccess } from './manila-access.ts'
import { askingManila, manilaOrNull } from './manila-faults.ts'
import { keptShare, shareSnapshotOf } from './manila-shapes.ts'
import type { BackendParts } from './parts.ts'

/** Shares that Manila keeps, by its API v2. */
export function manila({ access }: Pick<BackendParts, 'access'>): VolumeBackend {
  const own = shareService(vouchedFor(access.service, access.service, () => true))
  const of = (caller: Caller) => shareService(access.of(caller))
  const sides: Sides = { access, own, of }
  return {
    name: 'manila',
    noun: 'share',
    manyWriters: true,
    async isThere() {
      try {
        await access.service.endpoint(kinds.share, access.ownContext())
        return true
      } catch (error) {
        if (isOpenStackError(error) && error.failure === 'unfit') return false
        throw error
      }
    },
    volumes: sharesOf(sides),
    snapshots: snapshotsOf(sides),
    backups: null,
    own: {
      async get(id) {
        const share = await manilaOrNull(aShare(id), () => own.shares.show(id, access.ownContext()))
        return share && keptShare(share)
      },
      remove: (id) => askingManila(aShare(id), async () => void (await own.shares.remove(id, access.ownContext()))),
      async marked(key, value) {
        const filter = { all_tenants: 1, metadata: JSON.stringify({ [key]: value }) }
        const all = await askingManila(aShare('*'), () => allOf(own.shares.list(filter, access.ownContext())))
        return all.map((share) => keptShare(share)).filter(({ metadata }) => metadata[key] === value)
      },
    },
    attachments: manilaAccess(access, own),
  }
}

interface Sides extends Pick<BackendParts, 'access'> {
  readonly own: ShareService
  readonly of: (caller: Caller) => ShareService
}

/** What a share is mounted by unless its snapshot or type says otherwise. */
const usualProtocol = 'NFS'
const aShare = (ref: string) => ({ type: 'share', ref })
const aSnapshot = (ref: string) => ({ type: 'snapshot', ref })

/** Manila also shows what other projects have made public. */
function isHers(caller: Caller, { project_id: project }: { readonly project_id?: string | null }): boolean {
  return caller.isAdmin || project === caller.projectId
}

function sharesOf({ access, of }: Sides): VolumeBackend['volumes'] {
  const shown = async (caller: Caller, id: string): Promise<KeptVolume | null> => {
    const context = access.contextOf(caller)
    const share = await manilaOrNull(aShare(id), () => of(caller).shares.show(id, context))
    if (!share || !isHers(caller, share)) return null
    return keptShare(share, await failureOf(of(caller), share, context))
  }
  return {
    async create(caller, input) {
      refuseOtherSources(input)
      const context = access.contextOf(caller)
      const service = of(caller)
      const body = await askingManila(aShare(input.name), () => bodyOf(service, input, context))
      return keptShare(await askingManila(aShare(input.name), () => service.shares.create(body, context)))
    },
    async list(caller, { allProjects = false, name }) {
      const filter = { ...(allProjects && { all_tenants: 1 }), ...(name !== undefined && { name }) }
      const list = () => allOf(of(caller).shares.list(filter, access.contextOf(caller)))
      const all = await askingManila(aShare(name ?? ''), list)
      const isAsked = (share: Share) =>
        (allProjects || share.project_id === caller.projectId) && (name === undefined || share.name === name)
      return all.filter(isAsked).map((share) => keptShare(share))
    },
    get: shown,
    rename: async (caller, id, name) =>
      keptShare(
        await askingManila(aShare(id), () =>
          of(caller).shares.update(id, { display_name: name }, access.contextOf(caller)),
        ),
      ),
    extend: (caller, id, size) => askingManila(aShare(id), () => of(caller).extend(id, size, access.contextOf(caller))),
    async remove(caller, id) {
      const service = of(caller)
      const context = access.contextOf(caller)
      const snapshots = () => allOf(service.snapshots.list({ share_id: id }, context))
      const kept = (await askingManila(aShare(id), snapshots)).filter(({ share_id: share }) => share === id)
      if (kept.length > 0) throw new Fault('volume.in-use', { ...aShare(id), reason: 'it has snapshots' })
      await askingManila(aShare(id), async () => {
        if (!(await service.shares.remove(id, context))) throw new Fault('volume.not-found', aShare(id))
      })
    },
  }
}

function refuseOtherSources({ volume, backup }: NewKeptVolume): void {
  if (volume === undefined && backup === undefined) return
  const feature = volume === undefined ? 'A share from a backup' : 'A share from another'
  throw new Fault('request.unsupported', { feature, reason: 'Manila makes shares anew and from snapshots' })
}

/** Manila wants the size and the protocol said also where a snapshot has them. */
async function bodyOf(service: ShareService, input: NewKeptVolume, context: Context): Promise<ShareCreate> {
  const { name, description, type, availabilityZone: zone, snapshot, metadata } = input
  const origin = snapshot === undefined ? null : await originOf(service, snapshot, context)
  const size = input.size ?? origin?.size
  if (size === undefined) throw new Fault('request.invalid', { problem: 'A new share needs a size in GiB.' })
  return {
    name,
    size,
    share_proto: origin?.protocol ?? usualProtocol,
    metadata: { ...metadata },
    ...(description !== undefined && { description }),
    ...(type !== undefined && { share_type: type }),
    ...(zone !== undefined && { availability_zone: zone }),
    ...(snapshot !== undefined && { snapshot_id: snapshot }),
  }
}

async function originOf(
  service: ShareService,
  id: string,
  context: Context,
): Promise<{ readonly size: number | undefined; readonly protocol: string }> {
  const snapshot = await askingManila(aSnapshot(id), () => service.snapshots.show(id, context))
  const share = await manilaOrNull(aShare(snapshot.share_id), () => service.shares.show(snapshot.share_id, context))
  return { size: snapshot.share_size ?? snapshot.size ?? undefined, protocol: share?.share_proto ?? usualProtocol }
}

/** Why a share is in error, if Manila still knows. */
async function failureOf(service: ShareService, { id, status }: Share, context: Context): Promise<string | null> {
  if (!status.includes('error')) return null
  try {
    return (await firstOf(service.messages(id, context)))?.user_message ?? null
  } catch (error) {
    // A reason is a courtesy; some clouds do not show their messages to everybody.
    if (isOpenStackError(error)) return null
    throw error
  }
}

function snapshotsOf({ access, of }: Sides): NonNullable<VolumeBackend['snapshots']> {
  return {
    async create(caller, shareId, name) {
      const body = { share_id: shareId, name }
      const make = () => of(caller).snapshots.create(body, access.contextOf(caller))
      return shareSnapshotOf(await askingManila(aShare(shareId), make))
    },
    async list(caller, filter) {
      const list = () => allOf(of(caller).snapshots.list({ ...filter }, access.contextOf(caller)))
      return (await askingManila(aSnapshot(''), list)).map(shareSnapshotOf)
    },
    async get(caller, id) {
      const found = await manilaOrNull(aSnapshot(id), () => of(caller).snapshots.show(id, access.contextOf(caller)))
      return found && shareSnapshotOf(found)
    },
    remove: (caller, id) =>
      askingManila(aSnapshot(id), async () => void (await of(caller).snapshots.remove(id, access.contextOf(caller)))),
  }
}
