import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { operation } from '../operation.ts'
import { text } from '../query.ts'
import { isoTime } from '../times.ts'
import { toHostView } from '../translate.ts'

const tag = 'hosts'
const ReasonQuery = Type.Object({ reason: text('Shown to other administrators.') }, { additionalProperties: false })
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
