import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@gantry/kernel'
import type { Backup, Caller, Snapshot } from '@gantry/model'
import type { VolumeVerbs } from '../ports/volumes.ts'
import { copyData, volumeData } from './object-data.ts'
import type { Owned } from './object-recorder.ts'
import { type Kept, type Tell, type TellParts, tellerOf, told, toldRemoval } from './told-verbs.ts'

/** Between looks at what another service is still making or deleting: ever longer, until it is given up. Milliseconds. */
const firstLookMs = 1000
const longestLookMs = 15_000
const giveUpMs = 30 * 60_000
/** So many at once; what is begun beyond is told of when it begins only. */
const mostFollowed = 200

interface Step extends Owned {
  readonly status: string
}

/**
 * The same verbs of volumes that another service keeps, each of which is told of: no table of ours shows what it does. What the service
 * accepted and has not done yet is looked at until it has.
 */
export function toldVolumes(verbs: VolumeVerbs, parts: TellParts): VolumeVerbs {
  const { volumes, snapshots, backups } = verbs
  const follow = follower(parts)
  const volume = tellerOf(parts, 'volume', volumeData)
  const snapshot = tellerOf<Snapshot>(parts, 'snapshot', copyData)
  const backup = tellerOf<Backup>(parts, 'backup', copyData)
  return {
    volumes: {
      ...volumes,
      create: follow.making(volume, volumes, (caller, input) => volumes.create(caller, input)),
      rename: told(volume, 'update', (caller, ref, name) => volumes.rename(caller, ref, name)),
      extend: told(volume, 'update', (caller, ref, size) => volumes.extend(caller, ref, size)),
      delete: follow.removing(volume, volumes),
    },
    snapshots: {
      ...snapshots,
      create: follow.making(snapshot, snapshots, (caller, of, name) => snapshots.create(caller, of, name)),
      delete: follow.removing(snapshot, snapshots),
    },
    backups: {
      ...backups,
      create: follow.making(backup, backups, (caller, of, name) => backups.create(caller, of, name)),
      delete: follow.removing(backup, backups),
    },
  }
}

function follower({ clock }: Pick<TellParts, 'clock'>) {
  const followed = new Set<string>()

  /** Until it is neither being made nor deleted. Rejects when it can no longer be looked at: its caller's token has ended. */
  async function untilSettled<T extends Step>(caller: Caller, tell: Tell<T>, kept: Kept<T>, begun: T): Promise<void> {
    let last = begun
    const until = clock.now() + giveUpMs
    for (let pause = firstLookMs; isOnItsWay(last) && clock.now() < until; ) {
      await sleep(pause, undefined, { ref: false })
      pause = Math.min(pause * 2, longestLookMs)
      const now = await orGone(kept, caller, last.id)
      if (now === null) return tell(caller, 'delete', last)
      if (now.status !== last.status) await tell(caller, 'update', now)
      last = now
    }
  }

  const follow = <T extends Step>(caller: Caller, tell: Tell<T>, kept: Kept<T>, begun: T): void => {
    const { id } = begun
    if (!isOnItsWay(begun) || followed.has(id) || followed.size >= mostFollowed) return
    followed.add(id)
    const done = () => followed.delete(id)
    void untilSettled(caller, tell, kept, begun).then(done, done)
  }

  return {
    making<T extends Step, A extends readonly unknown[]>(
      tell: Tell<T>,
      kept: Kept<T>,
      create: (caller: Caller, ...args: A) => Promise<T>,
    ) {
      const made = told(tell, 'create', create)
      return async (caller: Caller, ...args: A): Promise<T> => {
        const object = await made(caller, ...args)
        follow(caller, tell, kept, object)
        return object
      }
    },
    removing<T extends Step>(tell: Tell<T>, kept: Kept<T>) {
      const telling: Tell<T> = async (caller, _verb, before) => {
        const now = await orGone(kept, caller, before.id).catch(() => before)
        await tell(caller, now ? 'update' : 'delete', now ?? before)
        if (now) follow(caller, tell, kept, now)
      }
      return toldRemoval(telling, kept)
    },
  }
}

function isOnItsWay({ status }: Step): boolean {
  return status === 'creating' || status === 'deleting'
}

async function orGone<T>(kept: Kept<T>, caller: Caller, id: string): Promise<T | null> {
  try {
    return await kept.get(caller, id)
  } catch (error) {
    if (error instanceof Fault && error.code === 'volume.not-found') return null
    throw error
  }
}
