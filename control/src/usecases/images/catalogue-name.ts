import { Fault } from '@gantry/kernel'
import type { ImageName } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import { isDigest, nameOf, newName } from '../engine-images/names.ts'
import { ownPlaceOf } from '../engine-images/own-registry.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether it is what entries of the catalogue, and images of Glance, have for ids. */
export function isCatalogueId(text: string): boolean {
  return uuid.test(text)
}

/**
 * What an image of this Glance name is called everywhere else: the name itself where engines would take it, else one made of
 * its letters and digits (`My image 1` is `my-image-1:latest`).
 */
export function catalogueName(deps: Pick<Deps, 'registryDomains'>, text: string): ImageName {
  const name = validName(text)
  // Under our own domain a name means what is there already.
  if (name && !isDigest(name.tag) && ownPlaceOf(deps, name.repo) === null) return name
  const slug = text
    .toLowerCase()
    .slice(0, 190)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return { repo: validName(slug)?.repo ?? `image-${slug}`.replace(/-$/, ''), tag: 'latest' }
}

function validName(text: string): ImageName | null {
  try {
    const { repo, tag } = nameOf(text)
    return newName(repo, tag)
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid') return null
    throw error
  }
}
