import { callerOf } from '@gantry/http'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { exact } from '../fields.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { Nothing, text } from '../query.ts'
import { ChangePort, CreatePort } from '../schemas-network.ts'
import { toPortView } from '../translate-network.ts'

const tag = 'networks'
const port = { tag, noun: 'port', schema: 'Port' }
const ListQuery = Type.Object(
  {
    network: text('Only those on this network.'),
    device: text('Only those of the container, capsule or router of this id.'),
  },
  exact,
)

export function portRoutes(app: App, { control }: NativeContext): void {
  const { ports } = control.network
  app.get('/ports', { schema: listing(port, ListQuery) }, async (request) => {
    const caller = callerOf(request)
    return { ports: (await ports.list(caller, request.query)).map((found) => toPortView(found, caller)) }
  })
  app.post('/ports', { schema: createDoc }, async (request, reply) => {
    const { name = '', securityGroups, mac, ...input } = request.body
    const made = await ports.create(callerOf(request), {
      name,
      ...input,
      ...(securityGroups === undefined ? {} : { groups: securityGroups }),
      ...(mac === undefined ? {} : { mac: mac.toLowerCase() }),
    })
    return reply
      .code(201)
      .header('location', `/v1/ports/${made.id}`)
      .send(toPortView(made, callerOf(request)))
  })
  app.get('/ports/:ref', { schema: showing(port, Nothing) }, async (request) => {
    return toPortView(await ports.get(callerOf(request), request.params.ref), callerOf(request))
  })
  app.patch('/ports/:ref', { schema: changeDoc }, async (request) => {
    const { securityGroups, ...change } = request.body
    const changed = await ports.update(callerOf(request), request.params.ref, {
      ...change,
      ...(securityGroups === undefined ? {} : { groups: securityGroups }),
    })
    return toPortView(changed, callerOf(request))
  })
  app.delete('/ports/:ref', { schema: deleting(port, Nothing) }, async (request, reply) => {
    await ports.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
}

const createDoc = operation({
  operationId: 'createPort',
  summary: 'Create a port: addresses that stay when the container that uses them goes',
  tag,
  body: CreatePort,
  answer: { status: 201, description: 'The port.', content: 'Port' },
})
const changeDoc = operation({
  operationId: 'changePort',
  summary: 'Change the name, security groups or filtering of a port',
  tag,
  params: Ref,
  body: ChangePort,
  answer: { status: 200, description: 'The port.', content: 'Port' },
})
