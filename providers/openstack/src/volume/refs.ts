import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { KeptVolume, VolumeBackend } from './backend.ts'

/** A volume, and the service that keeps it. */
export interface Found<T> {
  readonly backend: VolumeBackend
  readonly it: T
}

interface Piece {
  readonly id: string
  readonly name: string
}

/** How pieces of one kind are looked for at one service; null: it has none. */
type Sight<T> = (backend: VolumeBackend) => {
  get(caller: Caller, id: string): Promise<T | null>
  named(caller: Caller, name: string): Promise<T[]>
} | null

const volumeSight: Sight<KeptVolume> = ({ volumes }) => ({
  get: (caller, id) => volumes.get(caller, id),
  named: (caller, name) => volumes.list(caller, { name }),
})

/** What a caller means by a ref, by id or else by name, at any of the services. */
export async function volumeBy(
  backends: readonly VolumeBackend[],
  caller: Caller,
  ref: string,
): Promise<Found<KeptVolume>> {
  return pieceBy('volume', backends, caller, ref, volumeSight)
}

/** As `volumeBy`; `kind` says what it is in sentences. */
export async function pieceBy<T extends Piece>(
  kind: string,
  backends: readonly VolumeBackend[],
  caller: Caller,
  ref: string,
  sight: Sight<T>,
): Promise<Found<T>> {
  const at = backends.flatMap((backend) => {
    const eyes = sight(backend)
    return eyes ? [{ backend, eyes }] : []
  })
  if (isId(ref)) {
    for (const { backend, eyes } of at) {
      const it = await eyes.get(caller, ref)
      if (it) return { backend, it }
    }
  }
  const named: Found<T>[] = []
  for (const { backend, eyes } of ref === '' ? [] : at) {
    for (const it of await eyes.named(caller, ref)) if (it.name === ref) named.push({ backend, it })
  }
  const [first, second] = named
  if (!first) throw new Fault('volume.not-found', { type: kind, ref })
  if (second) throw new Fault('volume.ambiguous', { type: kind, name: ref })
  return first
}

/** An id of the services', and so not a name. */
function isId(ref: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(ref)
}
