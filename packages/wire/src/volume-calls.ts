import type { VolumeId } from '@gantry/model'
import Type, { type TSchema } from 'typebox'

const Empty = Type.Object({})
const id = Type.Unsafe<VolumeId>(Type.String({ pattern: '^[\\w-]+$' }))

/** What volumes on a host's disk hold, on its way to the server and back. Both throw `volume.failed` with a sentence. */
export const volumeCalls = {
  /**
   * Output: a volume as it was at one moment, even while a container writes to it: a tar, zstd-compressed, whose only member
   * `disk.img` is sparse and has the file system. The host keeps a copy until all of it was read.
   */
  volumeRead: { args: Type.Object({ id }), reply: Empty },
  /**
   * Input: what `volumeRead` gave. The volume is there afterwards, with a file system of `size` GiB, if all of the input came and
   * has this SHA-256; else nothing is. One that is there already is never replaced.
   */
  volumeWrite: {
    args: Type.Object({ id, size: Type.Integer({ minimum: 1 }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }),
    reply: Empty,
  },
} as const satisfies Record<string, { args: TSchema; reply: TSchema }>
