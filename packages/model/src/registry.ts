import type { ProjectId, RegistryId, UserId } from './ids.ts'

/** Where a project's images may be pulled from, and as whom. */
export interface Registry {
  readonly id: RegistryId
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly name: string
  /** `registry.example.com:5000`. */
  readonly domain: string
  readonly username: string | null
  /** Encrypted; opened only on its way to a host. */
  readonly sealedPassword: string | null
  readonly createdAt: number
  readonly updatedAt: number
}
