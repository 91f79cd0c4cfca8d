import { createHash } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import { formatImageName, type HostId, type ImageId, parseImageName, type ProjectId } from '@gantry/model'
import type { Tables } from '../ports/store.ts'

/**
 * Where a project's own images live in the engine's name space; nobody's request may name them. Behind any registry's name,
 * because engines drop or add those of their own (`docker.io/a/b`, `localhost/a/b`) when they look an image up.
 */
const privateRepository = /(^|\/)gantry-[0-9a-f]{32}\//i
const digest = /^[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-f]{32,}$/i

export interface ResolvedImage {
  readonly engineRef: string
  /** The only host that has it; null: any host can fetch it. */
  readonly onlyOn: HostId | null
  readonly catalogId: ImageId | null
}

/**
 * What the engine is told for the image a user named. Bare engine ids and references into other projects' names are never
 * passed on: with them one tenant could run what another committed.
 */
export async function resolveImage(tables: Tables, projectId: ProjectId, image: string): Promise<ResolvedImage> {
  const reason = 'your project has no image of that name or id'
  if (privateRepository.test(image)) throw new Fault('image.not-found', { image, reason })
  const byId = await tables.images.get(image as ImageId)
  if (byId && (byId.projectId === null || byId.projectId === projectId)) {
    return { engineRef: byId.engineRef, onlyOn: byId.hostId, catalogId: byId.id }
  }
  const { repo, tag } = parseImageName(image)
  // An engine takes `sha256:` and a few digits for an image it holds, whoever's it is.
  const isId = /^sha256$/i.test(repo) || (image.includes('@') && !digest.test(tag))
  if (isId) throw new Fault('image.not-found', { image, reason })
  const own = await tables.images.resolve(projectId, repo, tag)
  if (own && own.projectId !== null) return { engineRef: own.engineRef, onlyOn: own.hostId, catalogId: own.id }
  return { engineRef: formatImageName(repo, tag), onlyOn: null, catalogId: null }
}

/** The engine's name for `repository:tag` of a project. Throws `request.invalid` if no engine would take it. */
export function privateEngineRef(projectId: ProjectId, repository: string, tag: string): string {
  const path = repository.toLowerCase().replaceAll(':', '_')
  if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(path) || path.length > 200) {
    throw new Fault('request.invalid', {
      problem: `The repository ${JSON.stringify(repository)} is not a valid image name.`,
    })
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) {
    throw new Fault('request.invalid', { problem: `The tag ${JSON.stringify(tag)} is not valid.` })
  }
  return `gantry-${spaceOf(projectId)}/${path}:${tag}`
}

/** 32 hex digits, as `privateRepository` knows them, whatever an identity service takes for an id. */
function spaceOf(projectId: ProjectId): string {
  const plain = projectId.replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(plain) ? plain : createHash('sha256').update(projectId).digest('hex').slice(0, 32)
}
