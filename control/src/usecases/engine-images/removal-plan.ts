import { Fault } from '@gantry/kernel'
import type { Image } from '@gantry/model'
import type { ImageUse } from '../../engine-image-verbs.ts'
import { shortImageId } from './names.ts'
import { digestNames, type FoundImage } from './project-images.ts'

export interface RemovalPlan {
  /** The project's own rows that go. */
  readonly drop: readonly Image[]
  /** It stays without a name, because a container uses it. */
  readonly nameless: boolean
  readonly untagged: readonly string[]
  /** It is no image of the project's any more. */
  readonly isDeleted: boolean
}

/**
 * What removing an image takes away, by the rules and in the words of engines: a name goes alone while there are others; the
 * last one goes with the image, unless a container uses it. Throws `image.conflict`, and `policy.forbidden` for what is
 * public. Pure.
 */
export function removalPlan(
  { image, row }: FoundImage,
  asked: string,
  uses: readonly ImageUse[],
  force: boolean,
): RemovalPlan {
  const { imageId, own, shared } = image
  const drop = row ? own.filter(({ id }) => id === row.id) : own
  const forbidden = (reason: string) => new Fault('policy.forbidden', { action: `Removing image ${asked}`, reason })
  if (drop.length === 0) {
    const isPublic = (row ? [row] : shared).some(({ visibility }) => visibility === 'public')
    throw forbidden(isPublic ? 'it is public, and another project’s' : 'another project shares it with yours')
  }
  if (drop.some(({ glance }) => glance.protected)) throw forbidden('it is protected')
  const isLast = shared.length === 0 && drop.length === own.length
  const conflict = (problem: string) => new Fault('image.conflict', { problem: `conflict: ${problem}` })
  const id = shortImageId(imageId)
  const [use] = uses.toSorted((a, b) => Number(b.running) - Number(a.running))
  if (!row) {
    const repos = new Set(own.map(({ repo }) => repo))
    if (repos.size > 1 && !force) {
      throw conflict(`unable to delete ${id} (must be forced) - image is referenced in multiple repositories`)
    }
    if (isLast && use?.running) {
      throw conflict(
        `unable to delete ${id} (cannot be forced) - image is being used by running container ${shortOf(use)}`,
      )
    }
    if (isLast && use && !force) {
      throw conflict(
        `unable to delete ${id} (must be forced) - image is being used by stopped container ${shortOf(use)}`,
      )
    }
  } else if (isLast && use && !force) {
    throw conflict(
      `unable to remove repository reference "${asked}" (must force) - container ${shortOf(use)} is using its referenced image ${id}`,
    )
  }
  const nameless = isLast && use !== undefined
  return { drop, nameless, untagged: drop.flatMap(toldOf), isDeleted: isLast && !nameless }
}

function toldOf(row: Image): string[] {
  if (row.repo === '') return []
  const digests = digestNames(row)
  return row.tag.includes(':') ? digests : [`${row.repo}:${row.tag}`, ...digests]
}

function shortOf({ id }: ImageUse): string {
  return id.replaceAll('-', '').slice(0, 12)
}
