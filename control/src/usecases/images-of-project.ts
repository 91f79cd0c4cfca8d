import { createHash } from 'node:crypto'
import { engineRefIn, type ProjectId } from '@gantry/model'

/**
 * Where what is a project's own lives in the engine's name space; nobody's request may name it. Behind any registry's name, because
 * engines drop or add those of their own (`docker.io/a/b`, `localhost/a/b`) when they look an image up.
 */
const privateRepository = /(^|\/)gantry-[0-9a-f]{32}\//i

/** Whether it is a project's own reference in an engine. */
export function isPrivateRef(engineRef: string): boolean {
  return privateRepository.test(engineRef)
}

/** The engine's name for `repository:tag` of a project. Throws `request.invalid` if no engine would take it. */
export function privateEngineRef(projectId: ProjectId, repository: string, tag: string): string {
  return engineRefIn(spaceOf(projectId), repository, tag)
}

/** What the project's references begin with: 32 hex digits in it, whatever an identity service takes for an id. */
export function spaceOf(projectId: ProjectId): string {
  const plain = projectId.replaceAll('-', '')
  const digits = /^[0-9a-f]{32}$/.test(plain)
    ? plain
    : createHash('sha256').update(projectId).digest('hex').slice(0, 32)
  return `gantry-${digits}`
}
