import type { Secret } from '@gantry/kernel'
import type { ProjectId, RequestId, UserId } from './ids.ts'

/**
 * Who asks. Every core call takes one as its first argument, and every query is scoped by it.
 * `isAdmin` is decided by the identity provider from the roles (policy `context_is_admin`), never by a façade.
 */
export interface Caller {
  readonly userId: UserId
  readonly userName: string
  readonly projectId: ProjectId
  readonly projectName: string
  readonly roles: readonly string[]
  readonly isAdmin: boolean
  readonly requestId: RequestId
  /** Shown to the cloud's services on the caller's behalf; left out where there are none, or where nobody logged in. */
  readonly token?: Secret
}
