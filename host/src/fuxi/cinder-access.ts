import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@gantry/model'
import { allOf, type Attachment, type Context, isOpenStackError, type Volume } from '@gantry/openstack'
import { Value } from 'typebox/value'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { Access, Reach } from './backend.ts'
import type { CinderParts } from './cinder.ts'
import { claimantOf, claimsOf, marks, placeOf, staleClaims } from './cinder-marks.ts'
import { unlessGone } from './told.ts'

/** Whoever reserves a volume writes down for which host within this time, or lets it go. Milliseconds, as all here. */
const claimMs = 7000
/** A reservation that nobody has claimed for so long is of a plugin that was ended. */
const orphanMs = 10_000
/** How long another host's attaching or detaching is waited for. */
const othersMs = 25_000
const pollMs = 300

/**
 * Attachments of one host. Cinder lets one attachment at a time be made of a volume, and tells nobody whose it is; so each is
 * claimed in the volume's metadata before it leads anywhere.
 */
export interface CinderAccess {
  connect(volumeId: string, access: Access, context: Context): Promise<Reach>
  complete(volumeId: string, attachmentId: string, context: Context): Promise<void>
  disconnect(volumeId: string, attachmentId: string | null, context: Context): Promise<boolean>
}

export function cinderAccess(parts: CinderParts): CinderAccess {
  const { cinder, clock, host, claim } = parts
  const look = async (volumeId: string, context: Context): Promise<State> => {
    const [volume, attachments] = await Promise.all([
      cinder.volumes.show(volumeId, context),
      allOf(cinder.attachments.list({ volume_id: volumeId }, context)),
    ])
    return { volume, attachments }
  }
  /** Those of whose being blank nothing needs to be taken back. */
  const used = new Set<string>()
  const drop = async (volumeId: string, attachmentId: string, context: Context): Promise<boolean> => {
    const was = await cinder.attachments.remove(attachmentId, context)
    await unlessGone(cinder.removeMetadata(volumeId, marks.claim(attachmentId), context))
    return was
  }

  /** Gives back what this host had before, of which nothing is left here. */
  const clear = async (state: State, context: Context): Promise<boolean> => {
    const mine = claimsOf(state.volume, claim)
    for (const id of mine) await drop(state.volume.id, id, context)
    return mine.length > 0
  }

  const reserve = async (volumeId: string, access: Access, context: Context): Promise<[State, Attachment]> => {
    const began = clock.now()
    const watch = orphanWatch(parts)
    for (;;) {
      const state = await look(volumeId, context)
      refuseUnfit(state)
      if (await clear(state, context)) continue
      const made = isTaken(state, null) ? null : await tryReserve(state, access, context)
      if (made !== null) return [state, made]
      const waitedEnough = clock.now() - began > othersMs
      const now = await look(volumeId, context)
      refuseTaken(now, waitedEnough)
      await watch(now, context)
      await sleep(pollMs, undefined, { signal: context.signal })
    }
  }

  /** null: somebody else was first. */
  const tryReserve = async (state: State, access: Access, context: Context): Promise<Attachment | null> => {
    const { id: volumeId, multiattach } = state.volume
    const mode = modeOf(state.volume)
    const since = clock.now()
    let made: Attachment
    try {
      made = await cinder.attachments.create({ volume_uuid: volumeId, mode }, context)
    } catch (error) {
      if (isOpenStackError(error, 400) || isOpenStackError(error, 409)) return null
      throw error
    }
    await access.note(made.id)
    await cinder.setMetadata(volumeId, { [marks.claim(made.id)]: claim }, context)
    const inTime = clock.now() - since < claimMs
    const alone = multiattach !== true || !isTaken(await look(volumeId, context), made.id)
    if (inTime && alone) return made
    await drop(volumeId, made.id, context)
    return null
  }

  return {
    async connect(volumeId, access, context) {
      const [{ volume }, { id, attach_mode }] = await reserve(volumeId, access, context)
      const mode = attach_mode === 'ro' ? 'ro' : 'rw'
      const connector = { ...(await parts.connector()), host, mode }
      const reach = reachOf(volume, await cinder.attachments.update(id, connector, context))
      if (!reach.blank) used.add(volumeId)
      return reach
    },
    async complete(volumeId, attachmentId, context) {
      await cinder.attachments.complete(attachmentId, context)
      if (used.delete(volumeId)) return
      await unlessGone(cinder.removeMetadata(volumeId, marks.blank, context))
    },
    async disconnect(volumeId, attachmentId, context) {
      if (attachmentId !== null) return drop(volumeId, attachmentId, context)
      const state = await unlessGone(look(volumeId, context))
      if (state === null) return false
      let was = await clear(state, context)
      for (const key of staleClaims(state.volume, state.attachments)) {
        await unlessGone(cinder.removeMetadata(volumeId, key, context))
      }
      if (was) return was
      // Perhaps a plugin before us reserved it and did not live to write down so.
      const watch = orphanWatch(parts)
      for (let now: State | null = state; now !== null && orphanOf(now) !== null; ) {
        was = (await watch(now, context)) || was
        await sleep(pollMs, undefined, { signal: context.signal })
        now = await unlessGone(look(volumeId, context))
      }
      return was
    },
  }
}

interface State {
  readonly volume: Volume
  readonly attachments: readonly Attachment[]
}

/** Removes a reservation that stays unclaimed for too long; true: it did. To be called again and again with what is seen. */
function orphanWatch({ cinder, clock }: CinderParts): (state: State, context: Context) => Promise<boolean> {
  const seen = new Map<string, number>()
  return async (state, context) => {
    const orphan = orphanOf(state)
    if (orphan === null) return false
    const since = seen.get(orphan.id) ?? clock.now()
    seen.set(orphan.id, since)
    if (clock.now() - since < orphanMs) return false
    return cinder.attachments.remove(orphan.id, context)
  }
}

/** A reservation that is no server's and no host's yet. */
function orphanOf({ volume, attachments }: State): Attachment | null {
  return (
    attachments.find(
      (each) =>
        each.status === 'reserved' && !each.instance && !hasConnection(each) && claimantOf(volume, each.id) === null,
    ) ?? null
  )
}

function hasConnection({ connection_info }: Attachment): boolean {
  return connection_info !== undefined && connection_info !== null && Object.keys(connection_info).length > 0
}

function modeOf({ metadata }: Volume): 'ro' | 'rw' {
  return metadata?.[marks.readOnly] === 'true' ? 'ro' : 'rw'
}

/**
 * Whether others have it so that this host must not: the file systems that are made here know of one machine, so who writes is
 * alone. `own`: the attachment that does not count.
 */
function isTaken({ volume, attachments }: State, own: string | null): boolean {
  const others = attachments.filter(({ id }) => id !== own)
  return others.some(
    ({ attach_mode }) => volume.multiattach !== true || modeOf(volume) === 'rw' || attach_mode !== 'ro',
  )
}

function refuseUnfit({ volume }: State): void {
  const { name, id, status, encrypted } = volume
  const called = name || id
  if (encrypted === true) throw new PluginRefusal(409, `The volume ${called} is encrypted; this plugin cannot open it.`)
  if (status.startsWith('error'))
    throw new PluginRefusal(409, `The volume ${called} is in error: its status is ${status}.`)
}

/** What will not pass by itself: a reservation may be one that nobody goes on with. */
function refuseTaken(state: State, waitedEnough: boolean): void {
  const { volume, attachments } = state
  const called = volume.name || volume.id
  const who = attachments.find(({ status }) => waitedEnough || (status !== 'reserved' && isTaken(state, null)))
  if (who) throw new PluginRefusal(409, `The volume ${called} is in use: ${placeOf(volume, who)} has it.`)
  if (waitedEnough)
    throw new PluginRefusal(409, `The volume ${called} cannot be attached: its status is ${volume.status}.`)
}

function reachOf(volume: Volume, { connection_info, attach_mode }: Attachment): Reach {
  const { metadata = {}, name } = volume
  if (!Value.Check(Connection, connection_info)) {
    throw new PluginRefusal(502, `Cinder does not say how to reach the volume ${name ?? volume.id}.`)
  }
  return {
    connection: connection_info,
    fsType: metadata[marks.fsType] ?? 'ext4',
    blank: metadata[marks.blank] === 'true',
    readOnly: attach_mode === 'ro',
  }
}
