import { callerOf } from '@gantry/http'
import type { Caller } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { isIP } from 'node:net'
import { type Arguments, argumentsOf, requiredText, text } from './arguments.ts'
import { bodyCheck } from './body-rules.ts'
import { refOf, sendNull, type Zun } from './context.ts'
import { Refusal, schemaError } from './errors.ts'
import { minorOf, requireMinor } from './microversion.ts'
import { networkRules } from './schemas.ts'
import { groupIds } from './security-groups.ts'
import { toNet } from './translate-nets.ts'
import { toNetworks, toRegisteredNetwork } from './translate-networks.ts'

/** What a container is plugged into and which security groups its ports are in. */
export function containerNetworkRoutes(app: FastifyInstance, zun: Zun): void {
  const { containers } = zun.control

  app.get('/containers/:ref/network_list', { config: { zun: { since: 13 } } }, async (request) => {
    const { nics } = await containers.get(callerOf(request), refOf(request))
    return { networks: toNetworks(nics, minorOf(request)) }
  })

  app.post('/containers/:ref/network_attach', { config: { zun: { since: 8 } } }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = await containers.get(caller, refOf(request))
    await containers.attachNetwork(caller, id, readNet(argumentsOf(request)))
    return sendNull(reply, 200)
  })

  app.post('/containers/:ref/network_detach', { config: { zun: { since: 6 } } }, async (request, reply) => {
    const caller = callerOf(request)
    const { id } = await containers.get(caller, refOf(request))
    const args = argumentsOf(request)
    const { network, port } = networkXorPort(args)
    if (port !== undefined) requireMinor(minorOf(request), 17, 'port')
    await containers.detachNetwork(caller, id, port === undefined ? { network: network ?? '' } : { port })
    return sendNull(reply, 202)
  })

  const regroupings = {
    add_security_group: (caller: Caller, id: string, group: string) => containers.addSecurityGroup(caller, id, group),
    remove_security_group: (caller: Caller, id: string, group: string) =>
      containers.removeSecurityGroup(caller, id, group),
  }
  for (const [verb, regroup] of Object.entries(regroupings)) {
    app.post(`/containers/:ref/${verb}`, { config: { zun: { until: 14 } } }, async (request, reply) => {
      const caller = callerOf(request)
      const { id, projectId } = await containers.get(caller, refOf(request))
      // A name is one of the container's project, whoever asks.
      const [group = ''] = await groupIds(zun, { ...caller, projectId }, [
        requiredText(argumentsOf(request), 'name', 255),
      ])
      await regroup(caller, id, group)
      return sendNull(reply, 202)
    })
  }
}

/**
 * Networks need no registration here: containers use the cloud's as they are. What asks for one is told whether it exists,
 * in the shape it expects.
 */
export function networkRoutes(app: FastifyInstance, zun: Zun): void {
  const { networks } = zun.control.network
  const checkNew = bodyCheck(networkRules, ['name', 'neutron_net_id'])

  app.post('/networks', async (request) => {
    const caller = callerOf(request)
    mustAdminister(caller, 'network:create')
    const body = checkNew(request.body ?? {}, minorOf(request))
    const network = await networks.get(caller, String(body['neutron_net_id']))
    return toRegisteredNetwork(network, String(body['name']), caller.userId)
  })

  app.delete('/networks/:ref', { config: { zun: { since: 27 } } }, async (request, reply) => {
    const caller = callerOf(request)
    mustAdminister(caller, 'network:delete')
    await networks.get(caller, refOf(request))
    return reply.code(204).send()
  })
}

function readNet(args: Arguments) {
  const address = text(args, 'fixed_ip', 45)
  if (address !== undefined && (isIP(address) === 0 || address.includes('%'))) {
    throw schemaError('Invalid input for argument fixed_ip: it must be an IPv4 or IPv6 address.')
  }
  return toNet({ ...networkXorPort(args), addresses: address === undefined ? [] : [address] })
}

function networkXorPort(args: Arguments): { network: string | undefined; port: string | undefined } {
  const network = text(args, 'network', 255)
  const port = text(args, 'port', 255)
  if ((network === undefined) === (port === undefined)) {
    throw schemaError('Exactly one of the arguments network and port is required.')
  }
  return { network, port }
}

function mustAdminister(caller: Caller, action: string): void {
  if (caller.isAdmin) return
  throw new Refusal(403, 'policy-not-authorized', `${action} is not allowed: it needs the admin role.`)
}
