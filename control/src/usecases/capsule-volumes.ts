import type { Caller, ContainerId, Mount, VolumeId } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import type { MadeVolumes, MountRequest } from '../ports/volumes.ts'

/**
 * Takes the volumes of a capsule's containers, one container after the other, all in the name of the sandbox: several
 * may then mount the same one, and all are given back when the sandbox, the last, has gone.
 */
export function capsuleVolumes(deps: Deps, tables: Tables, caller: Caller, sandbox: ContainerId, made?: MadeVolumes) {
  const shared = new Map<string, VolumeId>()
  const take = (asked: readonly MountRequest[]) =>
    asked.length === 0 ? [] : deps.volumes.reserve(tables, caller, sandbox, asked, made)

  return async (asked: readonly MountRequest[]): Promise<Mount[]> => {
    const wordOf = (mount: MountRequest) => (mount.kind === 'new' ? mount.share : undefined)
    const isFirst = (mount: MountRequest, index: number) => {
      const word = wordOf(mount)
      if (word === undefined) return true
      return !shared.has(word) && asked.findIndex((other) => wordOf(other) === word) === index
    }
    const first = asked.filter(isFirst)
    const mounts = new Map<MountRequest, Mount>()
    for (const [index, mount] of (await take(first)).entries()) {
      const request = first[index]
      if (!request) continue
      mounts.set(request, mount)
      const word = wordOf(request)
      if (word !== undefined && mount.kind === 'volume') shared.set(word, mount.volumeId)
    }
    const again = asked.filter((mount) => !mounts.has(mount))
    for (const [index, mount] of (await take(again.map((request) => asVolume(request, shared)))).entries()) {
      const request = again[index]
      if (request) mounts.set(request, mount)
    }
    return asked.flatMap((request) => mounts.get(request) ?? [])
  }
}

/** Of all the mounts of a capsule, those that need a volume looked for or made: requests with the same word are one. Pure. */
export function volumesOfCapsule(all: readonly MountRequest[]): MountRequest[] {
  const words = new Set<string>()
  return all.filter((mount) => {
    if (mount.kind !== 'new' || mount.share === undefined) return true
    const isFirst = !words.has(mount.share)
    words.add(mount.share)
    return isFirst
  })
}

/** A request for what was made before. */
function asVolume(request: MountRequest, shared: ReadonlyMap<string, VolumeId>): MountRequest {
  if (request.kind !== 'new') return request
  const { destination, readOnly, share = '' } = request
  return { kind: 'volume', source: shared.get(share) ?? '', destination, readOnly }
}
