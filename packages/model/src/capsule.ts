import type { CapsuleId, HostId, ProjectId, UserId } from './ids.ts'

/** The part a container plays in a capsule: the sandbox holds the network, init containers run first, one by one. */
export type CapsuleRole = 'sandbox' | 'init' | 'member'

export interface CapsuleMembership {
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
