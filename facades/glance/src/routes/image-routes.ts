import type { ImagePatch } from '@gantry/control'
import { callerOf } from '@gantry/http'
import type { Image, ImageId } from '@gantry/model'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Images, idOf, imageOf, isObject } from '../context.ts'
import { invalid, Refusal } from '../errors.ts'
import { saidFields, tagOf } from '../image-fields.ts'
import { toImage } from '../image-view.ts'
import { fittingImages } from '../list-images.ts'
import { pageOf, type Query } from '../list-query.ts'
import { patchOf } from '../patch.ts'

const patchTypes = ['application/openstack-images-v2.1-json-patch', 'application/openstack-images-v2.0-json-patch']

/** Entries of the catalogue in the words of Glance's Image API v2. */
export function imageRoutes(app: FastifyInstance, images: Images): void {
  acceptPatches(app)

  app.get('/images', async (request) => {
    const query = request.query as Query
    const { images: page, next } = pageOf(await fittingImages(images, request, query), query)
    return {
      images: page.map(toImage),
      first: pathOf(query, null),
      ...(next === null ? {} : { next: pathOf(query, next) }),
      schema: '/v2/schemas/images',
    }
  })

  app.post('/images', async (request, reply) => {
    const caller = callerOf(request)
    if (!isObject(request.body)) throw invalid('The body must be an object.')
    const { id, name = null, visibility = 'shared', owner, glance } = saidFields(request.body)
    if (owner !== undefined && owner !== caller.projectId) {
      throw new Refusal(403, 'An image is made for the project of the token only.')
    }
    // Null until somebody says it, as for Glance.
    const unsaid = { containerFormat: null, diskFormat: null }
    const input = { name, visibility, glance: { ...unsaid, ...glance } }
    const made = await images.create(caller, id === undefined ? input : { ...input, id: id as ImageId })
    return reply.code(201).header('location', `/v2/images/${made.id}`).send(toImage(made))
  })

  app.get('/images/:id', async (request) => toImage(await imageOf(images, request)))

  app.patch('/images/:id', async (request) => {
    if (!patchTypes.includes(String(request.headers['content-type']).split(';', 1)[0] ?? '')) {
      throw new Refusal(415, `The body must be of content type ${patchTypes[0]}.`)
    }
    const patch = patchOf(await imageOf(images, request), request.body)
    return toImage(await images.update(callerOf(request), idOf(request), patch))
  })

  app.delete('/images/:id', async (request, reply) => {
    await images.delete(callerOf(request), idOf(request))
    return reply.code(204).send()
  })

  tagRoutes(app, images)
  for (const action of ['deactivate', 'reactivate', 'import']) notServed(app, 'POST', `/images/:id/${action}`)
  for (const path of ['/images/:id/actions/deactivate', '/images/:id/actions/reactivate']) notServed(app, 'POST', path)
  notServed(app, 'PUT', '/images/:id/stage')
}

function tagRoutes(app: FastifyInstance, images: Images): void {
  const change = async (
    request: FastifyRequest,
    reply: FastifyReply,
    made: (image: Image, tag: string) => string[],
  ) => {
    const image = await imageOf(images, request)
    const tags = made(image, tagOf((request.params as { readonly tag: string }).tag))
    const patch: ImagePatch = saidFields({ tags })
    await images.update(callerOf(request), image.id, patch)
    return reply.code(204).send()
  }
  app.put('/images/:id/tags/:tag', (request, reply) =>
    change(request, reply, ({ glance }, tag) => [...glance.tags, tag]),
  )
  app.delete('/images/:id/tags/:tag', (request, reply) =>
    change(request, reply, ({ glance }, tag) => {
      if (!glance.tags.includes(tag)) throw new Refusal(404, `The image has no tag ${tag}.`)
      return glance.tags.filter((each) => each !== tag)
    }),
  )
}

/** JSON by another name. */
function acceptPatches(app: FastifyInstance): void {
  app.addContentTypeParser(patchTypes, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(String(body)))
    } catch {
      done(invalid('The request body is not valid JSON.'))
    }
  })
}

export function notServed(app: FastifyInstance, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string): void {
  app.route({
    method,
    url,
    handler: async () => {
      throw new Refusal(501, 'This part of the Image API is not served here.')
    },
  })
}

/** This list again, from `marker` on. */
function pathOf(query: Query, marker: string | null): string {
  const words = Object.entries(query)
    .filter(([key]) => key !== 'marker')
    .flatMap(([key, value]) => [value ?? []].flat().map((each) => [key, each]))
  if (marker !== null) words.push(['marker', marker])
  return words.length === 0 ? '/v2/images' : `/v2/images?${new URLSearchParams(words).toString()}`
}
