import type { CapsuleMembership } from './capsule.ts'
import type { Nic } from './fabric.ts'
import type { ContainerId, HostId, ProjectId, RegistryId, UserId } from './ids.ts'
import type { Digest } from './digest.ts'
import type { Observed } from './observed.ts'
import type { ContainerSpec } from './spec.ts'
import type { Mount } from './volume.ts'
import type { Wish } from './wish.ts'

/** Names and spelling are Zun's, so that every façade and client agrees on them. */
export const statuses = [
  'Creating',
  'Created',
  'Running',
  'Stopped',
  'Paused',
  'Restarting',
  'Rebuilding',
  'Deleting',
  'Deleted',
  'Error',
  'Unknown',
  'Dead',
] as const
export type Status = (typeof statuses)[number]

/** What is under way; null when the wish is settled. */
export const tasks = [
  'container_creating',
  'container_starting',
  'container_stopping',
  'container_rebooting',
  'container_pausing',
  'container_unpausing',
  'container_killing',
  'container_rebuilding',
  'container_deleting',
  'network_attaching',
  'network_detaching',
  'sg_adding',
  'sg_removing',
] as const
export type Task = (typeof tasks)[number]

/** How far a container is on its way to another host. */
export interface Move {
  readonly from: HostId
  /** The old host has let go of it, or is no more. */
  readonly left: boolean
}

/** One container, whole: who owns it, what was asked, where it was placed, what is seen. */
export interface Container {
  readonly id: ContainerId
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly name: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** Written by use cases. */
  readonly spec: ContainerSpec
  readonly wish: Wish
  /** Ports it is, or is to be, plugged into; the first one is primary. Written with the ports themselves. */
  readonly nics: readonly Nic[]
  readonly mounts: readonly Mount[]
  /** null: it is on its own. */
  readonly capsule: CapsuleMembership | null
  readonly registryId: RegistryId | null
  /** A login at the registry that its image comes from, encrypted; for the server's own use. */
  readonly sealedRegistryAuth: string | null
  /** It is leaving its host, or has left it and is not placed again yet. */
  readonly moving?: Move | null
  /** The task the newest wish stands for. */
  readonly task: Task | null
  /** Written by the scheduler. null: not placed yet. */
  readonly hostId: HostId | null
  readonly hostName: string | null
  /** Seconds without a server after which its host stops it by itself, so that it can be made anew elsewhere; null or left out: it goes on. */
  readonly lease?: number | null
  /** What its host is told to run: the image's id, or a name of the engine's. */
  readonly imageRef: string
  /** The manifest of its image in the catalogue, which it holds there; null: its host or another registry must know the image. */
  readonly imageManifest: Digest | null
  /** Set when no host could be found in time; cleared by the next wish. */
  readonly placementFailure: string | null
  /** Written from agents' reports. */
  readonly observed: Observed
  readonly seenGeneration: number
  /** Its host has been silent for so long that `observed` is no longer believed. */
  readonly hostLost: boolean
  /** Derived by `statusOf`, stored so that lists can filter and sort by them. */
  readonly status: Status
  readonly statusReason: string | null
}
