import type { RemoteVolume } from '@gantry/model'

/** A volume that another service keeps, as this host is to have it. */
export interface AttachedVolume extends RemoteVolume {
  /** Files and folders are named after it. */
  readonly id: string
  readonly connection: NonNullable<RemoteVolume['connection']>
  /** GiB. What is mounted, or is going to be, grows to it. */
  readonly size: number
  /** Where it is mounted. Made for it and removed with it. */
  readonly point: string
  /**
   * `point` is in a file system of its own that lives as long as the mount does: after the machine was started anew there is
   * nothing at `point`, and an engine that starts a container by itself must refuse instead of giving it a folder of the host's.
   */
  readonly covered: boolean
}

/**
 * Volumes that other services keep, reached and mounted on this machine. Nothing is believed but the kernel and what is
 * written in the state folder before it is done; so all may be repeated after a kill at any point. Calls for one volume must
 * not overlap. Errors are sentences for the user (`problemSentence`).
 */
export interface AttachedVolumes {
  /**
   * Connects it, gives it a file system if it has none and may be given one, mounts it. Quick when it is mounted. Rejects, and
   * leaves nothing behind, if it has a signature that is no file system we know, if it is not blank and has none (read whole where that may be), or if another
   * machine has it mounted.
   */
  mount(volume: AttachedVolume, signal: AbortSignal): Promise<void>
  /** Unmounts and disconnects whatever there is of it. Rejects while something on the machine has a file of it open. */
  unmount(id: string): Promise<void>
  /** It is mounted, whole. */
  isMounted(id: string): Promise<boolean>
  /** Everything of which something is left on this machine: a record, a mount, a device. */
  list(): Promise<string[]>
  /** `connector` as Cinder wants it: what this machine can reach a volume by. */
  connector(): Promise<Readonly<Record<string, unknown>>>
}
