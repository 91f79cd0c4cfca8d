import Type, { type Static } from 'typebox'
import { Nic } from './fabric.ts'
import { ImageSource } from './image-source.ts'
import type { ContainerId, ProjectId } from './ids.ts'
import { Failure } from './observed.ts'
import { ContainerSpec } from './spec.ts'
import { Mount } from './volume.ts'
import { Wish } from './wish.ts'

/**
 * What a host is told about one container: the whole of it, every time. An agent that holds the assignment needs nothing
 * else to reach the wished state, and one that receives it twice does nothing the second time.
 */
export const Assignment = Type.Object({
  id: Type.Unsafe<ContainerId>(Type.String()),
  projectId: Type.Unsafe<ProjectId>(Type.String()),
  name: Type.String(),
  spec: ContainerSpec,
  /** What the engine runs: the image's id (`sha256:…`) if the catalogue knows it, else a name that the engine may know. */
  imageRef: Type.String(),
  wish: Wish,
  /** Its interfaces, the primary one first; none in a capsule, whose sandbox has them. */
  nics: Type.Array(Nic),
  mounts: Type.Array(Mount),
  /** The container whose network and IPC it shares; null: its own. */
  sandbox: Type.Union([Type.Unsafe<ContainerId>(Type.String()), Type.Null()]),
  /** Where its host gets the image if it does not have it; null: nowhere. */
  imageSource: Type.Union([ImageSource, Type.Null()]),
  /** Highest generation whose engine container has been seen; a missing one then vanished and was not merely never made. */
  seenGeneration: Type.Integer({ minimum: 0 }),
  /** Seconds without a server after which the host stops it by itself; left out: it goes on. */
  lease: Type.Optional(Type.Integer({ minimum: 1 })),
  /** The failure already reported for this wish version: not to be tried again until the user asks for something. */
  failed: Type.Union([Failure, Type.Null()]),
})
export type Assignment = Static<typeof Assignment>
