import { callerOf, sendStream, streamSignal } from '@gantry/http'
import type { FastifyInstance } from 'fastify'
import { contentOf, streamBodies } from '../bodies.ts'
import { type Images, idOf, imageOf } from '../context.ts'
import { invalid, Refusal } from '../errors.ts'

const bytes = 'application/octet-stream'

/** What is in an image, in and out. */
export function fileRoutes(app: FastifyInstance, images: Images): void {
  streamBodies(app)
  app.put('/images/:id/file', async (request, reply) => {
    const body = contentOf(request)
    if (String(request.headers['content-type']).split(';', 1)[0] !== bytes) {
      throw new Refusal(415, `The body must be of content type ${bytes}.`)
    }
    const { glance } = await imageOf(images, request)
    if (glance.containerFormat === null || glance.diskFormat === null) {
      throw invalid('Set container_format and disk_format before the upload.')
    }
    await images.upload(callerOf(request), idOf(request), body, streamSignal(reply))
    return reply.code(204).send()
  })
  // Asking for its headers alone would start a stream that nobody ends.
  const streaming = { config: { streaming: true }, exposeHeadRoute: false } as const
  app.get('/images/:id/file', streaming, async (request, reply) => {
    const { id, digest, glance } = await imageOf(images, request)
    if (digest === null) return reply.code(204).send()
    const { size, body } = await images.download(callerOf(request), id, streamSignal(reply))
    const sum = glance.checksum === null ? {} : { 'content-md5': glance.checksum }
    await sendStream(reply, body, { 'content-type': bytes, 'content-length': String(size), ...sum })
    return reply
  })
}
