import { Fault } from '@gantry/kernel'
import { isRepositoryName, isTag, type ProjectId, splitNamespace } from '@gantry/model'
import type { Deps } from '../../deps.ts'

/** Where the name of a repository leads. */
export interface Place {
  /** With its namespace, as it was asked for. */
  readonly name: string
  /** null: there is no such project. */
  readonly projectId: ProjectId | null
  readonly repo: string
}

/** The parts of a name, before anybody looks who has that namespace. Throws `repository.invalid`. */
export function partsOf(name: string): { readonly namespace: string; readonly repo: string } {
  const parts = splitNamespace(name)
  if (parts) return parts
  const reason = isRepositoryName(name)
    ? 'it must begin with a project, as in demo/app'
    : 'it is made of lower-case letters, digits, and single . _ - between them, in parts divided by /'
  throw new Fault('repository.invalid', { name: name.slice(0, 300), reason })
}

export async function placeOf({ namespaces }: Pick<Deps, 'namespaces'>, name: string): Promise<Place> {
  const { namespace, repo } = partsOf(name)
  return { name, repo, projectId: await namespaces.projectOf(namespace) }
}

/** Throws `tag.invalid`. */
export function checkTag(tag: string): void {
  if (!isTag(tag)) throw new Fault('tag.invalid', { tag: JSON.stringify(tag.slice(0, 200)) })
}
