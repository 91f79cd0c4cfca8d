import { callerOf } from '@gantry/http'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { exact } from '../fields.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { AllProjects, isYes, Nothing, text } from '../query.ts'
import { CreateNetwork, CreateSubnet, RenameNetwork } from '../schemas-network.ts'
import { toNetworkView, toSubnetView } from '../translate-network.ts'

const tag = 'networks'
const network = { tag, noun: 'network', schema: 'Network' }
const subnet = { tag, noun: 'subnet', schema: 'Subnet' }
const OfNetwork = Type.Object({ network: text('Only those of this network.') }, exact)

export function networkRoutes(app: App, { control }: NativeContext): void {
  const { networks } = control.network
  app.get('/networks', { schema: listing(network, AllProjects) }, async (request) => {
    const found = await networks.list(callerOf(request), { allProjects: isYes(request.query.allProjects) })
    return { networks: found.map(toNetworkView) }
  })
  app.post('/networks', { schema: createDoc }, async (request, reply) => {
    const { name, shared = false, external = false } = request.body
    const made = await networks.create(callerOf(request), { name, shared, external })
    return reply.code(201).header('location', `/v1/networks/${made.id}`).send(toNetworkView(made))
  })
  app.get('/networks/:ref', { schema: showing(network, Nothing) }, async (request) => {
    return toNetworkView(await networks.get(callerOf(request), request.params.ref))
  })
  app.patch('/networks/:ref', { schema: renameDoc }, async (request) => {
    return toNetworkView(await networks.rename(callerOf(request), request.params.ref, request.body.name))
  })
  app.delete('/networks/:ref', { schema: deleting(network, Nothing) }, async (request, reply) => {
    await networks.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
}

export function subnetRoutes(app: App, { control }: NativeContext): void {
  const { subnets } = control.network
  app.get('/subnets', { schema: listing(subnet, OfNetwork) }, async (request) => {
    const { network: of } = request.query
    const found = await subnets.list(callerOf(request), of === undefined ? {} : { network: of })
    return { subnets: found.map(toSubnetView) }
  })
  app.post('/subnets', { schema: createSubnetDoc }, async (request, reply) => {
    const { name = '', ...input } = request.body
    const made = await subnets.create(callerOf(request), { name, ...input })
    return reply.code(201).header('location', `/v1/subnets/${made.id}`).send(toSubnetView(made))
  })
  app.get('/subnets/:ref', { schema: showing(subnet, Nothing) }, async (request) => {
    return toSubnetView(await subnets.get(callerOf(request), request.params.ref))
  })
  app.delete('/subnets/:ref', { schema: deleting(subnet, Nothing) }, async (request, reply) => {
    await subnets.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
}

const createDoc = operation({
  operationId: 'createNetwork',
  summary: 'Create a network; containers need a subnet on it too',
  tag,
  body: CreateNetwork,
  answer: { status: 201, description: 'The network.', content: 'Network' },
})
const renameDoc = operation({
  operationId: 'renameNetwork',
  summary: 'Rename a network',
  tag,
  params: Ref,
  body: RenameNetwork,
  answer: { status: 200, description: 'The network under its new name.', content: 'Network' },
})
const createSubnetDoc = operation({
  operationId: 'createSubnet',
  summary: 'Create a subnet: the addresses of a network, its gateway and name servers',
  tag,
  body: CreateSubnet,
  answer: { status: 201, description: 'The subnet.', content: 'Subnet' },
})
