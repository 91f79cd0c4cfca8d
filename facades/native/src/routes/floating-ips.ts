import { callerOf } from '@gantry/http'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { Nothing } from '../query.ts'
import { AddForwarding, AssociateFloatingIp, CreateFloatingIp } from '../schemas-network.ts'
import { toFloatingIpView, toForwardingView } from '../translate-network.ts'

const tag = 'networks'
const floatingIp = { tag, noun: 'floating IP', schema: 'FloatingIp' }
const ForwardingParams = Type.Object({ ...Ref.properties, forwardingId: Type.String({ minLength: 1, maxLength: 64 }) })

/** In their paths an address stands for its floating IP, as the id does. */
export function floatingIpRoutes(app: App, { control }: NativeContext): void {
  const { floatingIps } = control.network
  app.get('/floating-ips', { schema: listing(floatingIp, Nothing) }, async (request) => {
    return { floatingIps: (await floatingIps.list(callerOf(request))).map(toFloatingIpView) }
  })
  app.post('/floating-ips', { schema: createDoc }, async (request, reply) => {
    const made = await floatingIps.create(callerOf(request), request.body)
    return reply.code(201).header('location', `/v1/floating-ips/${made.id}`).send(toFloatingIpView(made))
  })
  app.get('/floating-ips/:ref', { schema: showing(floatingIp, Nothing) }, async (request) => {
    return toFloatingIpView(await floatingIps.get(callerOf(request), request.params.ref))
  })
  app.patch('/floating-ips/:ref', { schema: associateDoc }, async (request) => {
    const { port, fixedAddress } = request.body
    const { ref } = request.params
    return toFloatingIpView(await floatingIps.associate(callerOf(request), ref, port, fixedAddress))
  })
  app.delete('/floating-ips/:ref', { schema: deleting(floatingIp, Nothing) }, async (request, reply) => {
    await floatingIps.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
  app.post('/floating-ips/:ref/forwardings', { schema: forwardDoc }, async (request, reply) => {
    const { protocol = 'tcp', ...input } = request.body
    const made = await floatingIps.addForwarding(callerOf(request), request.params.ref, { protocol, ...input })
    return reply.code(201).send(toForwardingView(made))
  })
  app.delete('/floating-ips/:ref/forwardings/:forwardingId', { schema: unforwardDoc }, async (request, reply) => {
    const { ref, forwardingId } = request.params
    await floatingIps.removeForwarding(callerOf(request), ref, forwardingId)
    return reply.code(204).send()
  })
}

const createDoc = operation({
  operationId: 'createFloatingIp',
  summary: 'Take an address of an external network, and let it lead to a port if one is named',
  tag,
  body: CreateFloatingIp,
  answer: { status: 201, description: 'The floating IP.', content: 'FloatingIp' },
})
const associateDoc = operation({
  operationId: 'associateFloatingIp',
  summary: 'Let a floating IP lead to a port, or nowhere',
  tag,
  params: Ref,
  body: AssociateFloatingIp,
  answer: { status: 200, description: 'The floating IP as it is now.', content: 'FloatingIp' },
})
const forwardDoc = operation({
  operationId: 'addForwarding',
  summary: 'Let one port of a floating IP lead to a port of a container',
  tag,
  params: Ref,
  body: AddForwarding,
  answer: { status: 201, description: 'The forwarding.', content: 'Forwarding' },
})
const unforwardDoc = operation({
  operationId: 'removeForwarding',
  summary: 'Remove a forwarding of a floating IP',
  tag,
  params: ForwardingParams,
  answer: { status: 204, description: 'Removed.' },
})
