import { callerOf } from '@gantry/http'
import type { ImageId } from '@gantry/model'
import Type from 'typebox'
import { type App, Id, type NativeContext } from '../context.ts'
import { operation } from '../operation.ts'
import { flag, isYes } from '../query.ts'
import { PullImage } from '../schemas.ts'
import { toImageView } from '../translate.ts'

const tag = 'images'
const exact = { additionalProperties: false }
const ListQuery = Type.Object({ allProjects: flag('Every project; administrators only.') }, exact)
const SearchQuery = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 512 }), exact: flag('Only this very name.') },
  exact,
)

export function imageRoutes(app: App, { control }: NativeContext): void {
  const { images } = control
  app.get('/images', { schema: listDoc }, async (request) => {
    const found = await images.list(callerOf(request), { allProjects: isYes(request.query.allProjects) })
    return { images: found.map(toImageView) }
  })
  app.get('/images/search', { schema: searchDoc }, async (request) => {
    const found = await images.search(callerOf(request), request.query.name, { exact: isYes(request.query.exact) })
    return { images: found.map(toImageView) }
  })
  app.post('/images', { schema: pullDoc }, async (request, reply) => {
    const { repo, tag: name = 'latest', host } = request.body
    return reply.code(202).send(toImageView(await images.pull(callerOf(request), { repo, tag: name, host })))
  })
  app.get('/images/:id', { schema: showDoc }, async (request) => {
    return toImageView(await images.get(callerOf(request), request.params.id as ImageId))
  })
  app.delete('/images/:id', { schema: deleteDoc }, async (request, reply) => {
    await images.delete(callerOf(request), request.params.id as ImageId)
    return reply.code(204).send()
  })
}

const listDoc = operation({
  operationId: 'listImages',
  summary: 'List images the project committed, and public ones',
  tag,
  querystring: ListQuery,
  answer: { status: 200, description: 'Images.', content: 'ImageList' },
})
const searchDoc = operation({
  operationId: 'searchImages',
  summary: 'Find images by name',
  tag,
  querystring: SearchQuery,
  answer: { status: 200, description: 'Images.', content: 'ImageList' },
})
const pullDoc = operation({
  operationId: 'pullImage',
  summary: 'Pull an image onto a host; administrators only',
  tag,
  body: PullImage,
  answer: { status: 202, description: 'The image that is being pulled.', content: 'Image' },
})
const showDoc = operation({
  operationId: 'showImage',
  summary: 'Show an image',
  tag,
  params: Id,
  answer: { status: 200, description: 'The image.', content: 'Image' },
})
const deleteDoc = operation({
  operationId: 'deleteImage',
  summary: 'Delete an image',
  tag,
  params: Id,
  answer: { status: 204, description: 'Deleted.' },
})
