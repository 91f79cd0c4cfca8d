import { callerOf } from '@gantry/http'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { exact } from '../fields.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { Nothing, text } from '../query.ts'
import { AddInterface, CreateRouter, SetGateway } from '../schemas-network.ts'
import { toInterface, toRouterView } from '../translate-network.ts'

const tag = 'networks'
const router = { tag, noun: 'router', schema: 'Router' }
const InterfaceQuery = Type.Object({ subnet: text('The subnet to leave.'), port: text('Or its port there.') }, exact)

export function routerRoutes(app: App, { control }: NativeContext): void {
  const { routers } = control.network
  app.get('/routers', { schema: listing(router, Nothing) }, async (request) => {
    return { routers: (await routers.list(callerOf(request))).map(toRouterView) }
  })
  app.post('/routers', { schema: createDoc }, async (request, reply) => {
    const made = await routers.create(callerOf(request), request.body)
    return reply.code(201).header('location', `/v1/routers/${made.id}`).send(toRouterView(made))
  })
  app.get('/routers/:ref', { schema: showing(router, Nothing) }, async (request) => {
    return toRouterView(await routers.get(callerOf(request), request.params.ref))
  })
  app.delete('/routers/:ref', { schema: deleting(router, Nothing) }, async (request, reply) => {
    await routers.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
  app.put('/routers/:ref/gateway', { schema: setGatewayDoc }, async (request) => {
    const { network, snat = true } = request.body
    return toRouterView(await routers.setGateway(callerOf(request), request.params.ref, { network, snat }))
  })
  app.delete('/routers/:ref/gateway', { schema: clearGatewayDoc }, async (request) => {
    return toRouterView(await routers.setGateway(callerOf(request), request.params.ref, null))
  })
  app.post('/routers/:ref/interfaces', { schema: addInterfaceDoc }, async (request) => {
    const to = toInterface(request.body)
    return toRouterView(await routers.addInterface(callerOf(request), request.params.ref, to))
  })
  app.delete('/routers/:ref/interfaces', { schema: removeInterfaceDoc }, async (request) => {
    const from = toInterface(request.query)
    return toRouterView(await routers.removeInterface(callerOf(request), request.params.ref, from))
  })
}

const answer = { status: 200, description: 'The router as it is now.', content: 'Router' } as const
const createDoc = operation({
  operationId: 'createRouter',
  summary: 'Create a router',
  tag,
  body: CreateRouter,
  answer: { status: 201, description: 'The router.', content: 'Router' },
})
const setGatewayDoc = operation({
  operationId: 'setGateway',
  summary: "Give a router a way out: an external network's address",
  tag,
  params: Ref,
  body: SetGateway,
  answer,
})
const clearGatewayDoc = operation({
  operationId: 'clearGateway',
  summary: "Take a router's way out away",
  tag,
  params: Ref,
  answer,
})
const addInterfaceDoc = operation({
  operationId: 'addInterface',
  summary: 'Join a subnet to a router, at its gateway address or at a given port',
  tag,
  params: Ref,
  body: AddInterface,
  answer,
})
const removeInterfaceDoc = operation({
  operationId: 'removeInterface',
  summary: 'Take a subnet off a router',
  tag,
  params: Ref,
  querystring: InterfaceQuery,
  answer,
})
