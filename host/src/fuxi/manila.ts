import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@gantry/model'
import {
  type AccessRule,
  allOf,
  bestLocation,
  type Context,
  grantAccess,
  isOpenStackError,
  markedOwner,
  revokeAccess,
  rulesOf,
  type Share,
  type ShareService,
} from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { Access, FuxiBackend, Reach, RemoteEntry } from './backend.ts'
import { manilaMake, shareOptionNames, whenMade } from './manila-make.ts'
import { type Client, clientOf, isFor, placeOf, shareMarks } from './manila-marks.ts'
import { unlessGone } from './told.ts'

/** What new shares are like where the user does not say. */
export interface ManilaDefaults {
  /** NFS or CEPHFS. */
  readonly protocol: string
  /** GiB. */
  readonly size: number
  readonly shareType?: string
  readonly shareNetwork?: string
  readonly availabilityZone?: string
}

export interface ManilaParts {
  readonly manila: ShareService
  /** Id of the session's project; nothing outside is looked at. */
  readonly project: (context: Context) => Promise<string>
  /** This host, as others are told of it. */
  readonly host: string
  /** The value of `volume_from`. */
  readonly from: string
  readonly defaults: ManilaDefaults
  /** What this machine can reach a share by: `ip` and `host` count. */
  readonly connector: () => Promise<Readonly<Record<string, unknown>>>
}

const pollMs = 300
/** Shares whose access rules are asked for at the same time. */
const width = 4

/** Shares of Manila's: any number of hosts may write to one at once. */
export function manilaBackend(parts: ManilaParts): FuxiBackend {
  const { manila, from, host } = parts

  const ours = async (filters: Readonly<Record<string, string>>, context: Context): Promise<Share[]> => {
    const project = await parts.project(context)
    const all = await allOf(manila.shares.list(filters, context))
    // Manila also shows what other projects have made public.
    return all.filter((share) => isOurs(share, from) && (share.project_id ?? project) === project)
  }
  const find = async (name: string, context: Context): Promise<Share | null> => {
    const found = (await ours({ name }, context)).filter((share) => share.name === name)
    return found.length < 2 ? (found[0] ?? null) : theOne(parts, name, found, context)
  }
  const entryOf = async (share: Share, context: Context): Promise<RemoteEntry> => {
    const rules = (await rulesOf(manila, share.id, context)) ?? []
    return toEntry(share, rules, clientOrNull(share, await parts.connector()), host)
  }
  const make = manilaMake({ ...parts, find })

  return {
    name: 'manila',
    optionNames: shareOptionNames,
    async list(context) {
      const shares = await ours({}, context)
      const entries: RemoteEntry[] = []
      for (let at = 0; at < shares.length; at += width) {
        entries.push(...(await Promise.all(shares.slice(at, at + width).map((share) => entryOf(share, context)))))
      }
      return entries
    },
    async find(name, context) {
      const share = await find(name, context)
      return share && entryOf(share, context)
    },
    make: async (name, wish, context) => entryOf(await make(name, wish, context), context),
    connect: (entry, access, context) => connect(parts, entry, access, context),
    // An access rule is either in force or not.
    complete: async () => undefined,
    async disconnect(shareId, ruleId, context) {
      const rules = (await rulesOf(manila, shareId, context)) ?? []
      const mine = rules.filter((rule) => rule.id === ruleId || isMine(parts, rule))
      for (const { id } of mine) await revokeAccess(manila, shareId, id, context)
      return mine.length > 0
    },
    remove: (entry, context) => remove(parts, entry, context),
  }
}

function isOurs({ metadata, status }: Share, from: string): boolean {
  return metadata?.[shareMarks.from] === from && status !== 'deleting'
}

/** A rule that this plugin made for this host; what others made for it stays. */
function isMine({ from, host }: ManilaParts, { metadata }: AccessRule): boolean {
  return metadata?.[shareMarks.from] === from && metadata[shareMarks.host] === host
}

function clientOrNull(share: Share, connector: Readonly<Record<string, unknown>>): Client | null {
  try {
    return clientOf(share, connector)
  } catch {
    return null
  }
}

function toEntry(share: Share, rules: readonly AccessRule[], client: Client | null, host: string): RemoteEntry {
  const { id, name, size, status, created_at: createdAt, share_proto: protocol } = share
  const { share_type_name: type, availability_zone: zone } = share
  const isHere = rules.some((rule) => rule.metadata?.[shareMarks.host] === host || (client && isFor(client, rule)))
  return {
    id,
    name: name ?? '',
    size,
    status,
    fsType: null,
    places: rules.map(placeOf),
    isHere,
    createdAt: createdAt ?? null,
    details: { share_proto: protocol, ...(type && { share_type: type }), ...(zone && { availability_zone: zone }) },
  }
}

/**
 * Of several that have a name: two hosts made it at the same time. The first that was made is it, unless another was used already;
 * what is still as it was made goes.
 */
async function theOne(
  { manila }: ManilaParts,
  name: string,
  found: readonly Share[],
  context: Context,
): Promise<Share> {
  const inOrder = found.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
  const used = inOrder.filter(({ metadata }) => metadata?.[shareMarks.blank] === undefined)
  const [winner = inOrder[0], another] = used
  if (another !== undefined || winner === undefined) {
    const ids = found.map(({ id }) => id).join(', ')
    throw new PluginRefusal(409, `${found.length} shares of Manila's are named ${name}: ${ids}. Rename all but one.`)
  }
  for (const { id } of inOrder) if (id !== winner.id) await deleteUnused(manila, id, context)
  return winner
}

function keyOf({ created_at: createdAt, id }: Share): string {
  return `${createdAt ?? ''} ${id}`
}

async function deleteUnused(manila: ShareService, id: string, context: Context): Promise<void> {
  // Who lets a host at it takes the mark away first (`connect`).
  const now = await unlessGone(manila.shares.show(id, context))
  if (now?.metadata?.[shareMarks.blank] === undefined) return
  if (((await rulesOf(manila, id, context)) ?? []).length > 0) return
  try {
    await manila.shares.remove(id, context)
  } catch (error) {
    // Still being made; who looks next deletes it.
    if (!isOpenStackError(error, 400) && !isOpenStackError(error, 403)) throw error
  }
}

async function connect(
  parts: ManilaParts,
  { id: shareId, name }: RemoteEntry,
  access: Access,
  context: Context,
): Promise<Reach> {
  const { manila, from, host } = parts
  const share = await whenMade(manila, shareId, context)
  const client = clientOf(share, await parts.connector())
  await manila.removeMetadata(shareId, shareMarks.blank, context)
  const metadata = { [shareMarks.from]: from, [shareMarks.host]: host }
  const rule = await grantAccess(
    manila,
    {
      shareId,
      rule: { ...client, access_level: 'rw', metadata },
      isOurs: (one) => isMine(parts, one),
      owner: markedOwner,
      made: access.note,
    },
    context,
  )
  const location = bestLocation(await manila.exportLocations(shareId, context))
  if (location === null)
    throw new PluginRefusal(502, `Manila does not say where the share ${name} is to be mounted from.`)
  return { connection: connectionOf(share, rule, location), fsType: '', blank: false, readOnly: false }
}

function connectionOf({ share_proto: protocol, name }: Share, rule: AccessRule, location: string): Connection {
  const base = { driver_volume_type: 'share', protocol: protocol.toUpperCase(), export: location }
  if (rule.access_type !== 'cephx') return base
  if (!rule.access_key) throw new PluginRefusal(502, `Manila gave no key for the share ${name}.`)
  const withKey = { ...base, user: rule.access_to, key: rule.access_key }
  return withKey
}

async function remove(parts: ManilaParts, { id, name }: RemoteEntry, context: Context): Promise<void> {
  const { manila } = parts
  const share = await unlessGone(manila.shares.show(id, context))
  if (share === null) return
  const client = clientOrNull(share, await parts.connector())
  const rules = (await rulesOf(manila, id, context)) ?? []
  const [other] = rules.filter((rule) => !isMine(parts, rule) && !(client && isFor(client, rule)))
  if (other) throw new PluginRefusal(409, `The share ${name} is in use: ${placeOf(other)} has it.`)
  const snapshots = (await allOf(manila.snapshots.list({ share_id: id }, context))).filter((one) => one.share_id === id)
  if (snapshots.length > 0) throw new PluginRefusal(409, `The share ${name} has snapshots; delete them first.`)
  for (const rule of rules) await revokeAccess(manila, id, rule.id, context)
  await manila.shares.remove(id, context)
  for (;;) {
    const left = await unlessGone(manila.shares.show(id, context))
    if (left === null) return
    if (left.status.includes('error')) {
      throw new PluginRefusal(500, `Manila could not delete the share ${name}: its status is ${left.status}.`)
    }
    await sleep(pollMs, undefined, { signal: context.signal })
  }
}
