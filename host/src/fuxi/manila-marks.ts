import { type AccessRule, accessMarks, type Share } from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'

/** Keys of a share's metadata; `from` also of its access rules. */
export const shareMarks = {
  /** Whose it is: `fuxi`, unless told. */
  from: 'volume_from',
  /** Made by the plugin, and nobody was let at it yet. */
  blank: 'fuxi_blank',
  /** Of an access rule: the host that it lets in, by name. */
  host: accessMarks.plugin,
} as const

/** Whom a rule lets in. */
export interface Client {
  readonly access_type: string
  readonly access_to: string
}

/** This host, as the storage of a share knows it: by `ip`, or as a user of Ceph's by `host`. Pure. */
export function clientOf(
  { share_proto: protocol }: Pick<Share, 'share_proto'>,
  { ip, host }: Readonly<Record<string, unknown>>,
): Client {
  switch (protocol.toUpperCase()) {
    case 'NFS':
      if (typeof ip === 'string') return { access_type: 'ip', access_to: ip }
      throw new PluginRefusal(500, 'This host does not know its address, by which Manila would let it at NFS shares.')
    case 'CEPHFS':
      return {
        access_type: 'cephx',
        access_to: `fuxi-${String(host)
          .toLowerCase()
          .replace(/[^a-z0-9._-]/g, '-')}`,
      }
    default:
      throw new PluginRefusal(400, `This plugin mounts NFS and CEPHFS shares, not ${protocol} shares.`)
  }
}

export function isFor({ access_type, access_to }: Client, rule: AccessRule): boolean {
  return rule.access_type === access_type && rule.access_to === access_to
}

/** Whom a rule lets in, in words. */
export function placeOf({ access_to, metadata }: AccessRule): string {
  const host = metadata?.[shareMarks.host]
  return host === undefined ? `${access_to}, by an access rule of the share,` : `host ${host}`
}
