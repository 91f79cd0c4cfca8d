import { callerOf } from '@gantry/http'
import type { ImageMember, ProjectId } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Images, idOf, imageOf, isObject } from '../context.ts'
import { invalid, Refusal } from '../errors.ts'
import { toMember } from '../image-view.ts'

const statuses = ['pending', 'accepted', 'rejected'] as const

/** With whom an image is shared. */
export function memberRoutes(app: FastifyInstance, images: Images): void {
  app.get('/images/:id/members', async (request) => {
    const members = await images.members(callerOf(request), idOf(request))
    return { members: members.map(toMember), schema: '/v2/schemas/members' }
  })

  app.post('/images/:id/members', async (request) => {
    await imageOf(images, request)
    const member = isObject(request.body) ? request.body['member'] : undefined
    if (typeof member !== 'string' || member === '' || member.length > 255) {
      throw invalid('The body must have a member: the id of a project.')
    }
    return toMember(await images.addMember(callerOf(request), idOf(request), member as ProjectId))
  })

  app.get('/images/:id/members/:member', async (request) => toMember(await memberOf(images, request)))

  app.put('/images/:id/members/:member', async (request) => {
    await imageOf(images, request)
    const said = isObject(request.body) ? request.body['status'] : undefined
    const status = statuses.find((each) => each === said)
    if (!status) throw invalid(`The body must have a status: ${statuses.join(', ')}.`)
    return toMember(await images.setMemberStatus(callerOf(request), idOf(request), memberIn(request), status))
  })

  app.delete('/images/:id/members/:member', async (request, reply) => {
    await images.removeMember(callerOf(request), idOf(request), memberIn(request))
    return reply.code(204).send()
  })
}

function memberIn(request: FastifyRequest): ProjectId {
  return (request.params as { readonly member: string }).member as ProjectId
}

async function memberOf(images: Images, request: FastifyRequest): Promise<ImageMember> {
  const members = await images.members(callerOf(request), idOf(request))
  const found = members.find(({ projectId }) => projectId === memberIn(request))
  if (found) return found
  throw new Refusal(404, `The image is not shared with project ${memberIn(request)}.`)
}
