import { Fault } from '@gantry/kernel'
import type { Caller, Connection } from '@gantry/model'
import { allOf, type VolumeService } from '@gantry/openstack'
import type { Attachments, Claim } from './backend.ts'
import { asking } from './cinder-faults.ts'
import type { BackendParts } from './parts.ts'

export interface CinderSides extends BackendParts {
  /** Cinder with Gantry's own rights, as a service: it then takes an attachment away without asking Nova for its server. */
  readonly own: VolumeService
  readonly of: (caller: Caller) => VolumeService
}

/**
 * The attachments API. `instance_uuid` is the claim's owner: by it we find what a dead server asked for, and Cinder lets a volume
 * that moves be reserved for its next host while the last one still has it (it was made for live migration).
 */
export function cinderAttachments({ access, own, of }: Omit<CinderSides, 'clock'>): Attachments {
  const about = ({ volumeId }: Claim) => ({ type: 'volume', ref: volumeId })
  const find = async (claim: Claim): Promise<string[]> => {
    const { volumeId, owner } = claim
    const filter = { all_tenants: true, volume_id: volumeId }
    const all = await asking(about(claim), () => allOf(own.attachments.list(filter, access.ownContext())))
    return all.filter(({ volume_id, instance }) => volume_id === volumeId && instance === owner).map(({ id }) => id)
  }
  return {
    async reserve(caller, claim) {
      const context = caller ? access.contextOf(caller) : access.ownContext()
      const cinder = caller ? of(caller) : own
      const mode = claim.readOnly ? 'ro' : 'rw'
      const body = { volume_uuid: claim.volumeId, instance_uuid: claim.owner, mode }
      return (await asking(about(claim), () => cinder.attachments.create(body, context))).id
    },
    async connect(id, claim, connector) {
      const context = access.ownContext()
      const mode = claim.readOnly ? 'ro' : 'rw'
      const { connection_info: info } = await asking({ type: 'attachment', ref: id }, () =>
        own.attachments.update(id, { ...connector, mode }, context),
      )
      return { id, connection: connectionOf(info) }
    },
    async complete(id) {
      await asking({ type: 'attachment', ref: id }, () => own.attachments.complete(id, access.ownContext()))
    },
    async release(id, claim) {
      await asking(about(claim), () => own.attachments.remove(id, access.ownContext()))
    },
    find,
  }
}

function connectionOf(info: unknown): Connection {
  const { driver_volume_type: type, encrypted } = (info ?? {}) as Record<string, unknown>
  if (typeof type !== 'string') {
    throw new Fault('service.failed', { service: 'volume', reason: 'it did not say how a host reaches the volume' })
  }
  if (encrypted === true) throw encryptedFault()
  return info as Connection
}

export function encryptedFault(): Fault {
  return new Fault('request.unsupported', {
    feature: 'An encrypted volume',
    reason: 'hosts do not get keys of volumes; use a volume type without encryption',
  })
}
