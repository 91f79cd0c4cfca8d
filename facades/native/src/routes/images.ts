import { callerOf } from '@gantry/http'
import { formatImageName } from '@gantry/model'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { flag, isYes, Nothing, oneOf } from '../query.ts'
import { PullImage } from '../schemas.ts'
import { AddMember, Membership, PatchImage, TagImage } from '../schemas-image.ts'
import { toImageView, toMemberView } from '../translate-image.ts'

const tag = 'images'
const image = { tag, noun: 'image', schema: 'Image' }
const exact = { additionalProperties: false }
const ListQuery = Type.Object(
  {
    allProjects: flag('Every project; administrators only.'),
    owners: oneOf(['own', 'public', 'shared'], 'Only those of the project, of everybody, or shared with the project.'),
  },
  exact,
)
const SearchQuery = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 512 }), exact: flag('Only this very name.') },
  exact,
)
const MemberParams = Type.Object({
  ...Ref.properties,
  project: Type.String({ minLength: 1, maxLength: 255, description: 'A project: its id or its name.' }),
})

/** The catalogue: what there is, under which names, and who may use it. */
export function imageRoutes(app: App, { control }: NativeContext): void {
  const { images, engineImages } = control
  app.get('/images', { schema: listing(image, ListQuery) }, async (request) => {
    const { allProjects, owners } = request.query
    const filter = owners === undefined ? {} : { owners: owners as 'own' | 'public' | 'shared' }
    const found = await images.list(callerOf(request), { allProjects: isYes(allProjects), ...filter })
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
  app.get('/images/:ref', { schema: showing(image, Nothing) }, async (request) => {
    return toImageView(await images.find(callerOf(request), request.params.ref))
  })
  app.patch('/images/:ref', { schema: changeDoc }, async (request) => {
    const caller = callerOf(request)
    const { id } = await images.find(caller, request.params.ref)
    const given = Object.entries(request.body).filter(([, value]) => value !== undefined)
    return toImageView(await images.update(caller, id, Object.fromEntries(given)))
  })
  app.post('/images/:ref/tag', { schema: tagDoc }, async (request, reply) => {
    const caller = callerOf(request)
    const { repo, tag: name = 'latest' } = request.body
    const found = await images.find(caller, request.params.ref)
    const engineName = found.repo === '' ? found.imageId : formatImageName(found.repo, found.tag)
    await engineImages.tag(caller, engineName ?? request.params.ref, { repo, tag: name })
    return reply.code(201).send(toImageView(await images.find(caller, formatImageName(repo, name))))
  })
  app.delete('/images/:ref', { schema: deleting(image, Nothing) }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = await images.find(caller, request.params.ref)
    await images.delete(caller, id)
    return reply.code(204).send()
  })
}

/** Projects with which an image is shared. */
export function imageMemberRoutes(app: App, { control, projectOf }: NativeContext): void {
  const { images } = control
  app.get('/images/:ref/members', { schema: membersDoc }, async (request) => {
    const caller = callerOf(request)
    const { id } = await images.find(caller, request.params.ref)
    return { members: (await images.members(caller, id)).map(toMemberView) }
  })
  app.post('/images/:ref/members', { schema: shareDoc }, async (request, reply) => {
    const caller = callerOf(request)
    const found = await images.find(caller, request.params.ref)
    const member = await images.addMember(caller, found.id, await projectOf(request.body.project))
    return reply.code(201).send(toMemberView(member))
  })
  app.put('/images/:ref/membership', { schema: answerDoc }, async (request) => {
    const caller = callerOf(request)
    const { id } = await images.find(caller, request.params.ref)
    return toMemberView(await images.setMemberStatus(caller, id, caller.projectId, request.body.status))
  })
  app.delete('/images/:ref/members/:project', { schema: unshareDoc }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = await images.find(caller, request.params.ref)
    await images.removeMember(caller, id, await projectOf(request.params.project))
    return reply.code(204).send()
  })
}

const searchDoc = operation({
  operationId: 'searchImages',
  summary: 'Find images by name',
  tag,
  querystring: SearchQuery,
  answer: { status: 200, description: 'Images.', content: 'ImageList' },
})
const pullDoc = operation({
  operationId: 'pullImage',
  summary: 'Bring an image of another registry here for everybody, and onto a host; administrators only',
  tag,
  body: PullImage,
  answer: { status: 202, description: 'The image that is being pulled.', content: 'Image' },
})
const changeDoc = operation({
  operationId: 'changeImage',
  summary: 'Give an image another name or other readers; only administrators make one public',
  tag,
  params: Ref,
  body: PatchImage,
  answer: { status: 200, description: 'The image as it is now.', content: 'Image' },
})
const tagDoc = operation({
  operationId: 'tagImage',
  summary: 'Give the content of an image a further name',
  tag,
  params: Ref,
  body: TagImage,
  answer: { status: 201, description: 'The image of that name.', content: 'Image' },
})
const membersDoc = operation({
  operationId: 'listImageMembers',
  summary: 'List the projects with which an image is shared',
  tag,
  params: Ref,
  answer: { status: 200, description: 'The projects.', content: 'ImageMemberList' },
})
const shareDoc = operation({
  operationId: 'shareImage',
  summary: 'Let another project use an image',
  description:
    'The image must have the visibility `shared`. The other project sees it in its lists once it has accepted it.',
  tag,
  params: Ref,
  body: AddMember,
  answer: { status: 201, description: 'It may use it now.', content: 'ImageMember' },
})
const answerDoc = operation({
  operationId: 'answerImageShare',
  summary: 'Take an image that is shared with the project into its lists, or leave it out',
  tag,
  params: Ref,
  body: Membership,
  answer: { status: 200, description: 'What was answered.', content: 'ImageMember' },
})
const unshareDoc = operation({
  operationId: 'unshareImage',
  summary: 'No longer let another project use an image',
  tag,
  params: MemberParams,
  answer: { status: 204, description: 'Done.' },
})
