import { baseUrl, callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import { type Image, type ImageId, parseImageName } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { flag, queryOf } from './arguments.ts'
import { bodyCheck } from './body-rules.ts'
import { baseOf, refOf, sendNull, type Zun } from './context.ts'
import { Refusal } from './errors.ts'
import { searchImages } from './image-search.ts'
import { minorOf } from './microversion.ts'
import { nextPage, readPage } from './paging.ts'
import { pullRules } from './schemas.ts'
import { linksTo } from './translate.ts'

/** Images of the catalogue that containers could run. */
export function imageRoutes(app: FastifyInstance, zun: Zun): void {
  const { images } = zun.control
  const checkPull = bodyCheck(pullRules, ['repo', 'host'])

  app.get('/images', async (request) => {
    const query = queryOf(request)
    const page = readPage(query, ['id', 'uuid', 'repo', 'tag', 'size'], 'id')
    const listed = await images.list(callerOf(request), { allProjects: flag(query, 'all_projects', false) })
    const all = listed.filter(({ kind }) => kind === 'image' || kind === 'index')
    const base = baseOf(zun, request)
    const sorted = sortImages(all, page.sortKey, page.descending)
    const marker = page.marker === null ? -1 : sorted.findIndex(({ id }) => id === page.marker)
    if (page.marker !== null && marker < 0) {
      throw new Fault('image.not-found', { image: page.marker, reason: 'there is no such marker.' })
    }
    const found = sorted.slice(marker + 1, marker + 1 + page.limit)
    const next = nextPage(`${baseUrl(request)}/v1/images`, query, page, found.at(-1)?.id, found.length)
    return { images: found.map((image) => toImage(image, base)), next }
  })

  app.post('/images', async (request, reply) => {
    const body = checkPull(request.body ?? {}, minorOf(request))
    const named = parseImageName(String(body['repo']))
    const tag = typeof body['tag'] === 'string' && body['tag'] !== '' ? body['tag'] : named.tag
    const host = String(body['host'])
    const image = await images.pull(callerOf(request), { repo: named.repo, tag, host }).catch(unknownHost)
    const base = baseOf(zun, request)
    return reply.code(202).header('location', `${base}/v1/images/${image.id}`).send(toImage(image, base))
  })

  app.get('/images/:ref', async (request) => {
    return toImage(await images.get(callerOf(request), refOf(request) as ImageId), baseOf(zun, request))
  })

  app.delete('/images/:ref', async (request, reply) => {
    await images.delete(callerOf(request), refOf(request) as ImageId)
    return sendNull(reply, 200)
  })

  const search = (request: FastifyRequest, name: string) => searchImages(zun, request, name)
  app.get('/images/:ref/search', (request) => search(request, refOf(request)))
  // Names hold slashes, and clients do not escape them.
  app.get('/images/*', (request) => {
    const path = (request.params as { '*': string })['*'].replace(/\/+$/, '')
    if (!path.endsWith('/search')) throw new Refusal(404, '', 'There is no such resource.')
    return search(request, path.slice(0, -'/search'.length))
  })
}

function unknownHost(error: unknown): never {
  if (error instanceof Fault && error.code === 'host.not-found') throw new Refusal(400, 'invalid', error.message)
  throw error
}

function sortImages(images: readonly Image[], sortKey: string, descending: boolean): Image[] {
  const key = (image: Image): string | number => {
    if (sortKey === 'repo' || sortKey === 'tag') return imageNameOf(image)[sortKey]
    if (sortKey === 'size') return sizeOf(image) ?? 0
    return sortKey === 'uuid' ? image.id : image.createdAt
  }
  const order = (a: Image, b: Image) => (key(a) < key(b) ? -1 : Number(key(a) > key(b)))
  return images.toSorted((a, b) => (descending ? order(b, a) : order(a, b)))
}

/** One that is still on its way has its repository and tag in its name only. */
export function imageNameOf({ name, repo, tag }: Image): { repo: string; tag: string } {
  return repo === '' ? parseImageName(name ?? '') : { repo, tag }
}

/** Unpacked, or in the store while nobody has unpacked it. */
export function sizeOf({ size, bytes }: Image): number | null {
  return size ?? bytes
}

/** Whose it is: nobody’s in particular when everybody may use it. */
export function projectOfImage({ visibility, projectId }: Image): Image['projectId'] | null {
  return visibility === 'public' ? null : projectId
}

function toImage(image: Image, base: string): object {
  const { repo, tag } = imageNameOf(image)
  return {
    uuid: image.id,
    links: linksTo(base, 'images', image.id),
    image_id: image.imageId,
    repo,
    tag,
    size: sizeOf(image) === null ? null : String(sizeOf(image)),
    project_id: projectOfImage(image),
    // Any host gets it when it needs it.
    host: '',
  }
}
