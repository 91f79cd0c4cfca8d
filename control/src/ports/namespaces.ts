import type { ProjectId, UserId } from '@gantry/model'

/** What projects are called in the names of repositories, and people where they are shown: implemented by the identity provider. */
export interface Namespaces {
  /** By name, where that is a valid component and unambiguous, or by id, with or without dashes. null: there is no such project. */
  projectOf(namespace: string): Promise<ProjectId | null>
  /** The name that leads to it, else its id. */
  namespaceOf(projectId: ProjectId): Promise<string>
  /** Her name; her id when she is no more. */
  userNameOf(userId: UserId): Promise<string>
}
