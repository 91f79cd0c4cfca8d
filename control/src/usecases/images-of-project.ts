import { createHash } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import {
  engineRefIn,
  formatImageName,
  type HostId,
  type Image,
  type ImageId,
  parseImageName,
  type ProjectId,
} from '@gantry/model'
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
  if (byId && (byId.projectId === null || byId.projectId === projectId)) return resolved(byId)
  const { repo, tag } = parseImageName(image)
  // An engine takes `sha256:` and a few digits for an image it holds, whoever's it is.
  const isId = /^sha256$/i.test(repo) || (image.includes('@') && !digest.test(tag))
  if (isId) throw new Fault('image.not-found', { image, reason })
  const own = await tables.images.resolve(projectId, repo, tag)
  if (own && own.projectId !== null) return resolved(own)
  return { engineRef: formatImageName(repo, tag), onlyOn: null, catalogId: null }
}

function resolved({ id, projectId, hostId, engineRef }: Image): ResolvedImage {
  // What a project pulled under its public name, every host can fetch.
  const anywhere = projectId !== null && !isPrivateRef(engineRef)
  return { engineRef, onlyOn: anywhere ? null : hostId, catalogId: id }
}

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
