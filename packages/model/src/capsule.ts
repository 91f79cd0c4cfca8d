import type { CapsuleId, HostId, ProjectId, UserId } from './ids.ts'

/** The part a container plays in a capsule: the sandbox holds the network, init containers run first, one by one. */
export type CapsuleRole = 'sandbox' | 'init' | 'member'

export interface CapsuleMembership {
  /** Also the id of the sandbox container. */
  readonly capsuleId: CapsuleId
  readonly role: CapsuleRole
  /** Order in the template; init containers run in it. */
  readonly position: number
}

export interface Capsule {
  readonly id: CapsuleId
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly restartPolicy: 'always' | 'on-failure' | 'no'
  readonly hostId: HostId | null
  readonly gone: boolean
  readonly createdAt: number
  readonly updatedAt: number
}

export type CapsuleStatus = 'Creating' | 'Running' | 'Stopped' | 'Error' | 'Deleting'

/** The image of sandboxes: hosts make it themselves, it only waits. */
export const sandboxImage = 'gantry/sandbox:1'
