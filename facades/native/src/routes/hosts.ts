import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Container } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { operation } from '../operation.ts'
import { isYes, Lost, text } from '../query.ts'
import { Verdicts } from '../schemas-placement.ts'
import { isoTime } from '../times.ts'
import { toHostView } from '../translate.ts'

const tag = 'hosts'
const ReasonQuery = Type.Object({ reason: text('Shown to other administrators.') }, { additionalProperties: false })
const DrainQuery = Type.Object(Lost, { additionalProperties: false })
const Leaver = { id: Type.String(), name: Type.String(), projectId: Type.String() }
const Drained = Type.Object({
  moving: Type.Array(Type.Object(Leaver)),
  staying: Type.Array(Type.Object({ ...Leaver, reason: Type.String() })),
})
export type DrainedView = Static<typeof Drained>
const Zones = Type.Object({ availabilityZones: Type.Array(Type.String()) })
const Token = Type.Object({ token: Type.String(), expiresAt: Type.String({ format: 'date-time' }) })

export function hostRoutes(app: App, { control, createJoinToken }: NativeContext): void {
  const { hosts } = control
  app.get('/hosts', { schema: listDoc }, async (request) => {
    return { hosts: (await hosts.list(callerOf(request))).map(toHostView) }
  })
  app.get('/hosts/:ref', { schema: showDoc }, async (request) => {
    return toHostView(await hosts.get(callerOf(request), request.params.ref))
  })
  app.delete('/hosts/:ref', { schema: removeDoc }, async (request, reply) => {
    await hosts.remove(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
  app.post('/hosts/:ref/enable', { schema: enableDoc }, async (request) => {
    return toHostView(await hosts.enable(callerOf(request), request.params.ref))
  })
  app.post('/hosts/:ref/disable', { schema: disableDoc }, async (request) => {
    return toHostView(await hosts.disable(callerOf(request), request.params.ref, request.query.reason ?? null))
  })
  app.post('/hosts/:ref/drain', { schema: drainDoc }, async (request, reply) => {
    const { moving, staying } = await hosts.drain(callerOf(request), request.params.ref, {
      lost: isYes(request.query.lost),
    })
    const view = ({ id, name, projectId }: Container) => ({ id, name, projectId })
    return reply.code(202).send({
      moving: moving.map(view),
      staying: staying.map(({ container, reason }) => ({ ...view(container), reason })),
    })
  })
  app.get('/containers/:ref/placement', { schema: whyDoc }, async (request) => {
    const answer = await hosts.explain(callerOf(request), request.params.ref)
    const { total, fitting, reasons } = answer
    return {
      total,
      fitting,
      reasons: [...reasons],
      hosts: answer.hosts.map(({ host: { id, name }, isThere, refusals }) => ({
        id,
        name,
        isThere,
        refusals: [...refusals],
      })),
    }
  })
  app.get('/availability-zones', { schema: zonesDoc }, async (request) => {
    return { availabilityZones: await hosts.availabilityZones(callerOf(request)) }
  })
  app.post('/hosts/join-tokens', { schema: joinDoc }, async (request, reply) => {
    const caller = callerOf(request)
    if (!caller.isAdmin) {
      throw new Fault('policy.forbidden', { action: 'Adding a host', reason: 'it is for administrators only' })
    }
    const { token, expiresAt } = await createJoinToken(caller)
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({ token, expiresAt: isoTime(expiresAt) })
  })
}

const listDoc = operation({
  operationId: 'listHosts',
  summary: 'List hosts; administrators only',
  tag,
  answer: { status: 200, description: 'Hosts.', content: 'HostList' },
})
const showDoc = operation({
  operationId: 'showHost',
  summary: 'Show a host; administrators only',
  tag,
  params: Ref,
  answer: { status: 200, description: 'The host.', content: 'Host' },
})
const removeDoc = operation({
  operationId: 'removeHost',
  summary: 'Forget a host that is not connected and holds no containers; administrators only',
  tag,
  params: Ref,
  answer: { status: 204, description: 'Forgotten.' },
})
const enableDoc = operation({
  operationId: 'enableHost',
  summary: 'Let new containers be placed on a host; administrators only',
  tag,
  params: Ref,
  answer: { status: 200, description: 'The host.', content: 'Host' },
})
const disableDoc = operation({
  operationId: 'disableHost',
  summary: 'Place nothing new on a host; administrators only',
  tag,
  params: Ref,
  querystring: ReasonQuery,
  answer: { status: 200, description: 'The host.', content: 'Host' },
})
const drainDoc = operation({
  operationId: 'drainHost',
  summary: 'Place nothing new on a host and move away what can leave it; administrators only',
  tag,
  params: Ref,
  querystring: DrainQuery,
  answer: { status: 202, description: 'What moves, and what stays and why.', content: Drained },
})
const whyDoc = operation({
  operationId: 'explainPlacement',
  summary: 'Tell what speaks against each host for a container, and what to do about it',
  description: '`hosts` is empty for all but administrators.',
  tag,
  params: Ref,
  answer: { status: 200, description: 'Every host.', content: Verdicts },
})
const zonesDoc = operation({
  operationId: 'listAvailabilityZones',
  summary: 'List availability zones',
  tag,
  answer: { status: 200, description: 'Their names.', content: Zones },
})
const joinDoc = operation({
  operationId: 'createJoinToken',
  summary: 'Make a one-time token for a new host; administrators only',
  tag,
  answer: { status: 201, description: 'The token; it is shown this once.', content: Token },
})
