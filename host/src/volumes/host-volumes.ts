import type { Assignment, ContainerId, VolumePlan } from '@gantry/model'

/** One bind mount for the engine. */
export interface Bind {
  /** On this machine. Exists only while what is behind it is mounted: an engine must refuse it otherwise, not make a folder. */
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
}

/** The volumes and snapshots whose data is on this host, and what containers mount of them. */
export interface HostVolumes {
  /** The newest plan of one volume or snapshot; carried out in the background and then reported. Repeating it is harmless. */
  take(plan: VolumePlan): void
  /**
   * Mounts what a container needs and writes its files; repeatable, and quick when all is there. Called before the engine
   * creates and before it starts the container. Rejects with an `EngineError` whose message is for the user.
   */
  prepare(assignment: Assignment, signal: AbortSignal): Promise<Bind[]>
  /** Unmounts and removes what only this container held. Repeatable. Data of volumes stays. */
  release(id: ContainerId): Promise<void>
  /** Containers that something is held for, on disk or in memory: for the sweep. */
  held(): Promise<ContainerId[]>
}
