import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Caller, Image } from '@gantry/model'
import type { FastifyRequest } from 'fastify'
import { flag, queryOf, text } from './arguments.ts'
import type { Zun } from './context.ts'
import { Refusal } from './errors.ts'
import { imageNameOf, projectOfImage, sizeOf } from './images.ts'
import { spacedTime } from './times.ts'

/** `GET /v1/images/{name}/search`, a bare list: what the cloud has and, for the docker driver, what the registry has. */
export async function searchImages(zun: Zun, request: FastifyRequest, name: string): Promise<object[]> {
  const caller = callerOf(request)
  const query = queryOf(request)
  const exact = flag(query, 'exact_match', false)
  const driver = text(query, 'image_driver', 255) ?? 'docker'
  if (driver !== 'docker' && driver !== 'glance') {
    throw new Refusal(400, 'invalid-value', 'The image_driver must be docker or glance.')
  }
  const known = await zun.control.images.search(caller, name, { exact })
  if (driver === 'glance') return known.map(toGlanceImage)
  const local = known.map(toFound)
  const names = new Set(known.map(({ repo }) => repo))
  const remote = await askRegistry(zun, caller, name, local.length > 0)
  return [...local, ...remote.filter((found) => !names.has(found.name) && (!exact || found.name === name))]
}

interface Found {
  readonly name: string
  readonly description: string
  readonly is_automated: boolean
  readonly metadata: { readonly is_official: boolean; readonly star_count: number }
}

/** A registry that does not answer matters only to somebody who finds nothing without it. */
async function askRegistry({ control }: Zun, caller: Caller, name: string, dispensable: boolean): Promise<Found[]> {
  try {
    const results = await control.images.searchRegistry(caller, name)
    return results.map(({ name: repo, description, official, automated, stars }) => ({
      name: repo,
      description,
      is_automated: automated,
      metadata: { is_official: official, star_count: stars },
    }))
  } catch (error) {
    if (dispensable) return []
    if (error instanceof Fault && (error.kind === 'internal' || error.kind === 'unavailable')) {
      throw new Refusal(
        503,
        '',
        `No image here is named like ${name}, and the registry that engines ask did not answer.`,
      )
    }
    throw error
  }
}

function toFound(image: Image): Found {
  const { repo, tag } = imageNameOf(image)
  return {
    name: repo,
    description: `${repo}:${tag}`,
    is_automated: false,
    metadata: { is_official: image.visibility === 'public', star_count: 0 },
  }
}

/** An image as Glance would show it. */
function toGlanceImage(image: Image): object {
  const { repo, tag } = imageNameOf(image)
  return {
    id: image.id,
    name: repo,
    tags: [tag],
    status: image.status,
    size: sizeOf(image),
    container_format: 'docker',
    disk_format: 'raw',
    visibility: image.visibility,
    owner: projectOfImage(image),
    metadata: {},
    created_at: spacedTime(image.createdAt),
  }
}
