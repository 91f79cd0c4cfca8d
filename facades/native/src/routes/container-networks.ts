import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { exact } from '../fields.ts'
import { operation } from '../operation.ts'
import { text } from '../query.ts'
import { AddGroup, AttachNetwork } from '../schemas-network.ts'
import { accepted } from '../shown.ts'
import { toNetRequest } from '../translate-network.ts'

const tag = 'containers'
const DetachQuery = Type.Object({ network: text('The network to leave.'), port: text('Or the port.') }, exact)
const GroupQuery = Type.Object(
  { securityGroup: Type.String({ minLength: 1, maxLength: 255, description: 'Its id or its name.' }) },
  exact,
)

/** What a container that exists is plugged into, and the security groups of its ports. */
export function containerNetworkRoutes(app: App, { control }: NativeContext): void {
  const { containers } = control
  app.post('/containers/:ref/networks', { schema: attachDoc }, async (request, reply) => {
    const net = toNetRequest(request.body, 'The body')
    return accepted(control, request, reply, await containers.attachNetwork(callerOf(request), request.params.ref, net))
  })
  app.delete('/containers/:ref/networks', { schema: detachDoc }, async (request, reply) => {
    const from = toLeave(request.query)
    return accepted(
      control,
      request,
      reply,
      await containers.detachNetwork(callerOf(request), request.params.ref, from),
    )
  })
  app.post('/containers/:ref/security-groups', { schema: addGroupDoc }, async (request, reply) => {
    const { securityGroup } = request.body
    const changed = await containers.addSecurityGroup(callerOf(request), request.params.ref, securityGroup)
    return accepted(control, request, reply, changed)
  })
  app.delete('/containers/:ref/security-groups', { schema: removeGroupDoc }, async (request, reply) => {
    const { securityGroup } = request.query
    const changed = await containers.removeSecurityGroup(callerOf(request), request.params.ref, securityGroup)
    return accepted(control, request, reply, changed)
  })
}

function toLeave({ network, port }: { network?: string; port?: string }): { network: string } | { port: string } {
  if (network !== undefined && port === undefined) return { network }
  if (port !== undefined && network === undefined) return { port }
  throw new Fault('request.invalid', { problem: 'Name either a network or a port.' })
}

const answer = { status: 202, description: 'Accepted; the container as it is now.', content: 'Container' } as const
const attachDoc = operation({
  operationId: 'attachNetwork',
  summary: 'Plug a container into one more network, or into a port of your own',
  tag,
  params: Ref,
  body: AttachNetwork,
  answer,
})
const detachDoc = operation({
  operationId: 'detachNetwork',
  summary: 'Unplug a container from a network or port',
  tag,
  params: Ref,
  querystring: DetachQuery,
  answer,
})
const addGroupDoc = operation({
  operationId: 'addSecurityGroup',
  summary: 'Put all ports of a container into a security group',
  tag,
  params: Ref,
  body: AddGroup,
  answer,
})
const removeGroupDoc = operation({
  operationId: 'removeSecurityGroup',
  summary: 'Take all ports of a container out of a security group',
  tag,
  params: Ref,
  querystring: GroupQuery,
  answer,
})
