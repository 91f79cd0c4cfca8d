import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Context,
  firstOf,
  isOpenStackError,
  type Share,
  type ShareCreate,
  type ShareService,
} from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { Wish } from './backend.ts'
import type { ManilaParts } from './manila.ts'
import { clientOf, shareMarks } from './manila-marks.ts'
import { booleanOf } from './options.ts'

export interface ManilaMakeParts extends ManilaParts {
  readonly find: (name: string, context: Context) => Promise<Share | null>
}

/** What `--opt` may say of a share beyond what all volumes have. */
export const shareOptionNames = [
  'share_proto',
  'share_network',
  'share_type',
  'share_group_id',
  'snapshot_id',
  'description',
  'is_public',
  'availability_zone',
  'consistency_group_id',
]

const pollMs = 300

/** Makes shares, or takes those that are there. */
export function manilaMake(parts: ManilaMakeParts) {
  return async (name: string, wish: Wish, context: Context): Promise<Share> => {
    const wanted = await wantedBy(parts, wish)
    const there = await parts.find(name, context)
    if (there) {
      refuseOther(there, wish, wanted)
      return whenMade(parts.manila, there.id, context)
    }
    return wish.adopt === null
      ? makeNew(parts, name, wish, wanted, context)
      : adopt(parts, name, wish.adopt, wish, wanted, context)
  }
}

interface Wanted {
  /** null: the user did not say. */
  readonly protocol: string | null
  readonly isPublic: boolean | null
}

async function wantedBy(parts: ManilaMakeParts, { words }: Wish): Promise<Wanted> {
  const { share_proto: protocol, is_public: isPublic } = words
  if (words['consistency_group_id'] !== undefined) {
    const instead = 'Manila has share groups in their place (--opt share_group_id=)'
    throw new PluginRefusal(400, `The option consistency_group_id cannot be given: ${instead}.`)
  }
  // Refuses what no host could mount.
  if (protocol !== undefined) clientOf({ share_proto: protocol }, await parts.connector())
  return {
    protocol: protocol?.toUpperCase() ?? null,
    isPublic: isPublic === undefined ? null : booleanOf('is_public', isPublic),
  }
}

/** Refuses a share that is there under the name, if the wish is for another. */
function refuseOther(share: Share, { size, adopt: id, words }: Wish, { protocol, isPublic }: Wanted): void {
  const differs = (what: string, has: string | number) =>
    new PluginRefusal(409, `There is a share ${share.name} already, but ${what} is ${has}.`)
  if (id !== null && id !== share.id) throw differs('its id', share.id)
  if (size !== null && size !== share.size) throw differs('its size in GiB', share.size)
  if (protocol !== null && protocol !== share.share_proto.toUpperCase())
    throw differs('its protocol', share.share_proto)
  if (isPublic !== null && isPublic !== (share.is_public === true)) throw differs('is_public', String(share.is_public))
  const { share_type: type } = words
  const types = [share.share_type, share.share_type_name]
  if (type !== undefined && !types.includes(type)) throw differs('its type', share.share_type_name ?? '')
}

async function makeNew(
  parts: ManilaMakeParts,
  name: string,
  wish: Wish,
  wanted: Wanted,
  context: Context,
): Promise<Share> {
  const { manila } = parts
  const made = await manila.shares.create(await bodyOf(parts, name, wish, wanted, context), context)
  try {
    await whenMade(manila, made.id, context)
  } catch (error) {
    if (error instanceof PluginRefusal || context.signal.aborted) await removeFailed(manila, made.id)
    throw error
  }
  // Another host may have made one at the same time.
  const share = (await parts.find(name, context)) ?? made
  return whenMade(manila, share.id, context)
}

async function bodyOf(
  { manila, from, defaults }: ManilaMakeParts,
  name: string,
  { size, words }: Wish,
  { protocol, isPublic }: Wanted,
  context: Context,
): Promise<ShareCreate> {
  const { snapshot_id: snapshotId, description, share_group_id: group } = words
  // Manila wants the size and the protocol said also where a snapshot has them.
  const snapshot = snapshotId === undefined ? null : await manila.snapshots.show(snapshotId, context)
  const origin = snapshot && (await unlessMissing(manila.shares.show(snapshot.share_id, context)))
  const type = words['share_type'] ?? defaults.shareType
  const network = words['share_network'] ?? defaults.shareNetwork
  const zone = words['availability_zone'] ?? defaults.availabilityZone
  return {
    name,
    size: size ?? snapshot?.share_size ?? snapshot?.size ?? defaults.size,
    share_proto: protocol ?? origin?.share_proto ?? defaults.protocol,
    metadata: { [shareMarks.from]: from, ...(snapshot === null && { [shareMarks.blank]: 'true' }) },
    ...(type !== undefined && { share_type: type }),
    ...(network !== undefined && { share_network_id: network }),
    ...(zone !== undefined && { availability_zone: zone }),
    ...(snapshotId !== undefined && { snapshot_id: snapshotId }),
    ...(description !== undefined && { description }),
    ...(group !== undefined && { share_group_id: group }),
    ...(isPublic !== null && { is_public: isPublic }),
  }
}

async function adopt(
  parts: ManilaMakeParts,
  name: string,
  id: string,
  wish: Wish,
  wanted: Wanted,
  context: Context,
): Promise<Share> {
  const { manila, from } = parts
  const makes = Object.keys(wish.words).find((word) => word !== 'share_proto' && word !== 'share_type')
  if (makes !== undefined)
    throw new PluginRefusal(400, `The option ${makes} is for a new share, not for one with volume_id.`)
  const missing = new PluginRefusal(404, `There is no share ${id} in the project of this plugin.`)
  const share = await unlessMissing(manila.shares.show(id, context))
  const project = await parts.project(context)
  if (share === null || (share.project_id ?? project) !== project) throw missing
  const refuse = (why: string) => new PluginRefusal(409, `The share ${id} cannot become ${name}: ${why}.`)
  if (share.name !== name) throw refuse(`its name is ${share.name ? `"${share.name}"` : 'empty'}, and must be the same`)
  if (share.status !== 'available') throw refuse(`its status is ${share.status}`)
  const owner = share.metadata?.[shareMarks.from]
  if (owner !== undefined && owner !== from) throw refuse(`it belongs to "${owner}" (volume_from)`)
  clientOf(share, await parts.connector())
  refuseOther(share, { ...wish, adopt: null }, wanted)
  await manila.setMetadata(id, { [shareMarks.from]: from }, context)
  return manila.shares.show(id, context)
}

/** Resolves when hosts may be let at it. What is in error is told, as Manila explains it to its user. */
export async function whenMade(manila: ShareService, id: string, context: Context): Promise<Share> {
  for (;;) {
    const share = await manila.shares.show(id, context)
    const { status, name } = share
    if (status.includes('error')) {
      const message = await firstOf(manila.messages(id, context)).catch(() => null)
      const why = message?.user_message.replace(/\.+$/, '') ?? `its status is ${status}`
      throw new PluginRefusal(500, `Manila could not make the share ${name ?? id}: ${why}.`)
    }
    if (!status.startsWith('creating')) return share
    await sleep(pollMs, undefined, { signal: context.signal })
  }
}

/** Not what the call was for any more, so in a time of its own. */
async function removeFailed(manila: ShareService, id: string): Promise<void> {
  // What cannot be deleted is still there for the user to see and delete.
  await manila.shares.remove(id, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
}

async function unlessMissing(looking: Promise<Share>): Promise<Share | null> {
  try {
    return await looking
  } catch (error) {
    if (isOpenStackError(error, 404)) return null
    throw error
  }
}
