import { Readable } from 'node:stream'
import { callerOf, sendStream, streamSignal } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import { dockerImage } from '@gantry/model'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { flowing, operation } from '../operation.ts'
import { text } from '../query.ts'
import { toImageView } from '../translate-image.ts'

const tag = 'images'
const tarType = 'application/x-tar'
const LoadQuery = Type.Object(
  { name: text('`repo` or `repo:tag`; left out: the name that the archive gives it.', 512) },
  { additionalProperties: false },
)

/** Images as archives, in the form of `docker save`. */
export function imageContentRoutes(app: App, { control }: NativeContext): void {
  const { images } = control
  app.removeContentTypeParser('application/octet-stream')
  app.addContentTypeParser(['application/octet-stream', tarType], (_request, payload, done) => {
    payload.on('error', () => undefined)
    done(null, payload)
  })
  app.get('/images/:ref/archive', { schema: saveDoc, ...flowing }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = await images.find(caller, request.params.ref)
    const { size, body } = await images.download(caller, id, streamSignal(reply))
    await sendStream(reply, body, { 'content-type': tarType, 'content-length': String(size) })
    return reply
  })
  app.post('/images/archive', { schema: loadDoc, ...flowing }, async (request, reply) => {
    const { body } = request
    if (!(body instanceof Readable)) throw new Fault('request.invalid', { problem: `The body must be a ${tarType}.` })
    const caller = callerOf(request)
    const name = request.query.name ?? null
    const { containerFormat, diskFormat } = dockerImage
    const made = await images.create(caller, { name, visibility: 'private', glance: { containerFormat, diskFormat } })
    try {
      return await reply.code(201).send(toImageView(await images.upload(caller, made.id, body, streamSignal(reply))))
    } catch (error) {
      // Without its content the entry is of no use to anybody.
      await images.delete(caller, made.id).catch(() => undefined)
      throw error
    }
  })
}

const saveDoc = operation({
  operationId: 'saveImage',
  summary: 'Read an image as an archive that `docker load` takes',
  tag,
  params: Ref,
  answer: { status: 200, description: 'The archive.', content: [tarType] },
})
const loadDoc = operation({
  operationId: 'loadImage',
  summary: 'Bring images here from an archive made by `docker save`',
  tag,
  querystring: LoadQuery,
  consumes: [tarType, 'application/octet-stream'],
  answer: { status: 201, description: 'The first image of the archive.', content: 'Image' },
})
