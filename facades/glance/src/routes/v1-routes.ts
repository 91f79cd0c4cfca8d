import { callerOf, sendStream, streamSignal } from '@gantry/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { contentOf, hasContent, streamBodies } from '../bodies.ts'
import { type Images, imageOf } from '../context.ts'
import { invalid } from '../errors.ts'
import { fittingImages } from '../list-images.ts'
import { pageOf, type Query } from '../list-query.ts'
import { headersOf, inputOf, toV1Image } from '../v1-image.ts'

const streaming = { config: { streaming: true }, exposeHeadRoute: false } as const

/**
 * As much of version 1 as its command line needs to bring an image and to see what there is: what is said of an image stands in
 * headers, and the body is its content.
 */
export function v1Routes(app: FastifyInstance, images: Images): void {
  streamBodies(app)

  app.post('/images', async (request, reply) => {
    const caller = callerOf(request)
    const body = contentOf(request)
    const input = inputOf(request.headers)
    if (hasContent(request) && (input.glance.containerFormat === null || input.glance.diskFormat === null)) {
      throw invalid('Set container_format and disk_format with the upload.')
    }
    const made = await images.create(caller, input)
    if (!hasContent(request)) return reply.code(201).send({ image: toV1Image(made) })
    try {
      const image = await images.upload(caller, made.id, body, streamSignal(reply))
      return await reply.code(201).send({ image: toV1Image(image) })
    } catch (error) {
      // Without its content the entry is of no use to anybody.
      await images.delete(caller, made.id).catch(() => undefined)
      throw error
    }
  })

  const list = async (request: FastifyRequest) => {
    const query = v2Query(request.query as Query)
    const { images: page } = pageOf(await fittingImages(images, request, query), query)
    return { images: page.map(toV1Image) }
  }
  app.get('/images', list)
  app.get('/images/detail', list)

  app.head('/images/:id', async (request, reply) => {
    return answerHeaders(reply, await imageOf(images, request)).send()
  })
  app.get('/images/:id', streaming, async (request, reply) => {
    const image = await imageOf(images, request)
    const { size, body } = await images.download(callerOf(request), image.id, streamSignal(reply))
    const type = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
    await sendStream(reply, body, { ...headersOf(image), ...type })
    return reply
  })
  app.delete('/images/:id', async (request, reply) => {
    const image = await imageOf(images, request)
    await images.delete(callerOf(request), image.id)
    return answerHeaders(reply, image).send()
  })
}

function answerHeaders(reply: FastifyReply, image: Parameters<typeof headersOf>[0]): FastifyReply {
  // WebOb says a type even where there is no body.
  return reply.code(200).headers(headersOf(image)).type('text/html; charset=UTF-8')
}

/** Its words for the same. */
function v2Query(query: Query): Query {
  const words = Object.entries(query).flatMap(([key, value]): [string, Query[string]][] => {
    if (key.startsWith('property-')) return [[key.slice('property-'.length), value]]
    if (key !== 'is_public') return [[key, value]]
    const text = String(value).toLowerCase()
    if (text === 'none' || text === '') return []
    return text === 'true' ? [['visibility', 'public']] : []
  })
  return Object.fromEntries(words)
}
