import type { ContainerId, ProjectId, UserId } from '@gantry/model'

/** The right to open one interactive session once. Only a hash of its token is kept. */
export interface ConsoleSession {
  readonly tokenHash: string
  readonly containerId: ContainerId
  readonly projectId: ProjectId
  readonly userId: UserId
  /** null: the container's own terminal. */
  readonly execId: string | null
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface ConsoleTable {
  /** Those that have expired at `at` go: most tokens are never used. */
  insert(session: ConsoleSession, at: number): Promise<void>
  /** Takes it away and answers with it; a second call with the same token finds nothing. */
  redeem(tokenHash: string, at: number): Promise<ConsoleSession | undefined>
}
