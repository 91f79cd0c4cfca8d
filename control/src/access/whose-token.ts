import type { TokenInfo } from '../ports/identity-model.ts'

/** Whose token it is, for logs, limits and the audit; `projectId` null: it has no project. */
export function whoseToken({ user, scope }: Pick<TokenInfo, 'scope' | 'user'>) {
  return { userId: user.id, userName: user.name, projectId: scope.kind === 'project' ? scope.project.id : null }
}
