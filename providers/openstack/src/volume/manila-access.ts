import { Fault } from '@gantry/kernel'
import type { Connection } from '@gantry/model'
import {
  type AccessRule,
  accessMarks,
  bestLocation,
  grantAccess,
  markedOwner,
  revokeAccess,
  rulesOf,
  type Share,
  type ShareService,
} from '@gantry/openstack'
import type { CloudAccess } from '../cloud-access.ts'
import type { Attachments, Claim, Connector } from './backend.ts'
import { askingManila } from './manila-faults.ts'

/** In the metadata of an access rule: for which claim it was made. Rules without it are not ours to take away. */
const ownerKey = accessMarks.server

/**
 * A share on a host is an access rule for that host. Nothing can be reserved: any number of hosts may have a share. Until a host
 * is known the id of an attachment is its claim's owner, from then on that of the rule.
 */
export function manilaAccess(access: CloudAccess, own: ShareService): Attachments {
  const about = ({ volumeId }: Claim) => ({ type: 'share', ref: volumeId })
  const rules = async ({ volumeId }: Claim) => (await rulesOf(own, volumeId, access.ownContext())) ?? []
  const isOf =
    ({ owner }: Claim) =>
    (rule: AccessRule) =>
      rule.metadata?.[ownerKey] === owner
  return {
    reserve: async (_caller, { owner }) => owner,
    connect: (_id, claim, connector) =>
      askingManila(about(claim), async () => {
        const context = access.ownContext()
        const share = await own.shares.show(claim.volumeId, context)
        const client = clientOf(share, connector)
        const level = claim.readOnly ? ('ro' as const) : ('rw' as const)
        const rule = await grantAccess(
          own,
          {
            shareId: share.id,
            rule: { ...client, access_level: level, metadata: { [ownerKey]: claim.owner } },
            isOurs: isOf(claim),
            owner: markedOwner,
          },
          context,
        )
        const location = bestLocation(await own.exportLocations(share.id, context))
        if (location === null) throw noLocation()
        // Somebody else's rule stays when we go.
        return { id: isOf(claim)(rule) ? rule.id : claim.owner, connection: connectionOf(share, rule, location) }
      }),
    complete: async () => undefined,
    async release(id, claim, connector) {
      await askingManila(about(claim), async () => {
        const to = connector ? clientNames(connector) : []
        const mine = (await rules(claim)).filter(isOf(claim))
        for (const rule of mine.filter((one) => one.id === id || to.includes(one.access_to))) {
          await revokeAccess(own, claim.volumeId, rule.id, access.ownContext())
        }
      })
    },
    find: (claim) =>
      askingManila(about(claim), async () => (await rules(claim)).filter(isOf(claim)).map(({ id }) => id)),
  }
}

/** Whom a rule lets in, for that host to reach the share. Pure. */
function clientOf({ share_proto: protocol }: Share, connector: Connector): { access_type: string; access_to: string } {
  const { ip, host } = connector
  switch (protocol.toUpperCase()) {
    case 'NFS':
      if (typeof ip === 'string') return { access_type: 'ip', access_to: ip }
      throw new Fault('request.unsupported', { feature: 'An NFS share', reason: 'the host did not tell its address' })
    case 'CEPHFS':
      if (typeof host === 'string') return { access_type: 'cephx', access_to: cephUser(host) }
      throw new Fault('request.unsupported', { feature: 'A CephFS share', reason: 'the host did not tell its name' })
    default:
      throw new Fault('request.unsupported', {
        feature: `A share by ${protocol}`,
        reason: 'hosts mount NFS and CephFS shares',
      })
  }
}

/** All that `clientOf` may have said of a host. Pure. */
function clientNames({ ip, host }: Connector): string[] {
  return [...(typeof ip === 'string' ? [ip] : []), ...(typeof host === 'string' ? [cephUser(host)] : [])]
}

/** Ceph's names have letters, digits, `.`, `_` and `-`. */
function cephUser(host: string): string {
  return `gantry-${host.toLowerCase().replace(/[^a-z0-9._-]/g, '-')}`
}

function connectionOf({ share_proto: protocol }: Share, rule: AccessRule, location: string): Connection {
  const base = { driver_volume_type: 'share', protocol: protocol.toUpperCase(), export: location }
  if (rule.access_type !== 'cephx') return base
  if (!rule.access_key) throw new Fault('service.failed', { service: 'share', reason: 'it gave no key for CephFS' })
  const withKey = { ...base, user: rule.access_to, key: rule.access_key }
  return withKey
}

function noLocation(): Fault {
  return new Fault('service.failed', {
    service: 'share',
    reason: 'it did not say where the share is to be mounted from',
  })
}
