import type { ClientCertificates, Control, Namespaces, TokenVerifier } from '@gantry/control'
import { answerFault, authenticate, openApi, tokenOf, type TypeBoxProvider, whenClosed } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import type { NativeContext } from './context.ts'
import { auditRoutes } from './routes/audit.ts'
import { capsuleRoutes } from './routes/capsules.ts'
import { containerNetworkRoutes } from './routes/container-networks.ts'
import { containerRoutes } from './routes/containers.ts'
import { dockerRoutes } from './routes/docker.ts'
import { eventRoutes } from './routes/events.ts'
import { floatingIpRoutes } from './routes/floating-ips.ts'
import { hostRoutes } from './routes/hosts.ts'
import { imageContentRoutes } from './routes/image-content.ts'
import { imageMemberRoutes, imageRoutes } from './routes/images.ts'
import { inspectRoutes } from './routes/inspect.ts'
import { networkRoutes, subnetRoutes } from './routes/networks.ts'
import { portRoutes } from './routes/ports.ts'
import { quotaRoutes } from './routes/quotas.ts'
import { registryRoutes } from './routes/registries.ts'
import { registryCareRoutes } from './routes/registry.ts'
import { routerRoutes } from './routes/routers.ts'
import { securityGroupRoutes } from './routes/security-groups.ts'
import { instanceRoutes } from './routes/instances.ts'
import { serverRoutes } from './routes/servers.ts'
import { streamRoutes } from './routes/streams.ts'
import { verbRoutes } from './routes/verbs.ts'
import { backupRoutes, snapshotRoutes, volumeRoutes } from './routes/volumes.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { documents } from './schemas.ts'

export type { JoinToken } from './context.ts'
export type { DrainedView } from './routes/hosts.ts'
export type { InstanceListView } from './routes/instances.ts'
export type { ServerListView } from './routes/servers.ts'
export type * from './views.ts'

export interface NativeOptions {
  readonly control: Control
  readonly verifier: TokenVerifier
  readonly createJoinToken: NativeContext['createJoinToken']
  readonly certificates: ClientCertificates
  readonly dockerPorts: NativeContext['dockerPorts']
  readonly namespaces: Namespaces
  /** Calls `end` once when the token is revoked. Call the answer when nobody needs to know any more. */
  readonly whenRevoked: (token: string, end: () => void) => Promise<() => void>
  /** Shown in the OpenAPI document. */
  readonly version?: string
  readonly heartbeatMs?: number
}

const routes = [
  containerRoutes,
  verbRoutes,
  inspectRoutes,
  streamRoutes,
  containerNetworkRoutes,
  networkRoutes,
  subnetRoutes,
  portRoutes,
  securityGroupRoutes,
  routerRoutes,
  floatingIpRoutes,
  volumeRoutes,
  snapshotRoutes,
  backupRoutes,
  capsuleRoutes,
  imageRoutes,
  imageMemberRoutes,
  imageContentRoutes,
  registryCareRoutes,
  registryRoutes,
  dockerRoutes,
  hostRoutes,
  instanceRoutes,
  serverRoutes,
  quotaRoutes,
  eventRoutes,
  webhookRoutes,
  auditRoutes,
]

/** Gantry's own API at `/v1`, and its description at `/openapi.json`. Register it on the root, without a prefix. */
export async function nativeFacade(app: FastifyInstance, options: NativeOptions): Promise<void> {
  const {
    control,
    verifier,
    createJoinToken,
    certificates,
    dockerPorts,
    namespaces,
    whenRevoked,
    version = '0.1.0',
    heartbeatMs = 20_000,
  } = options
  app.setErrorHandler(answerFault)
  await openApi(app, { title: 'Gantry', description: about, version, tags, schemas: documents })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  await app.register(
    async (v1) => {
      v1.addHook('onRequest', async (request, reply) => {
        reply.header('x-openstack-request-id', request.id)
      })
      authenticate(v1, verifier)
      cutRevoked(v1, whenRevoked)
      v1.setNotFoundHandler((request) => {
        throw new Fault('request.no-route', { method: request.method, path: request.url.split('?', 1)[0] ?? '' })
      })
      for (const add of routes) {
        // A scope of its own for each, because the streaming routes parse bodies differently.
        await v1.register(async (scope) => {
          add(scope.withTypeProvider<TypeBoxProvider>(), {
            control,
            createJoinToken,
            certificates,
            dockerPorts,
            projectOf: projectsBy(namespaces),
            heartbeatMs,
          })
        })
      }
    },
    { prefix: '/v1' },
  )
}

/** What flows ends with the token it was asked with: a log or a shell may stay open for days. */
function cutRevoked(app: FastifyInstance, whenRevoked: NativeOptions['whenRevoked']): void {
  app.addHook('onRequest', async (request, reply) => {
    const token = tokenOf(request)
    if (request.routeOptions.config.streaming !== true || token === undefined) return
    whenClosed(reply, await whenRevoked(token, () => request.raw.socket.destroy()))
  })
}

function projectsBy(namespaces: Namespaces): NativeContext['projectOf'] {
  return async (ref) => {
    const found = await namespaces.projectOf(ref)
    if (found === null) throw new Fault('identity.not-found', { type: 'project', ref })
    return found
  }
}

const about =
  'Containers for OpenStack. Every call needs a token of the cloud (`X-Auth-Token`); every answer carries `X-Openstack-Request-Id`. What another project owns does not exist: 404.'

const tags = [
  { name: 'containers', description: 'Containers and what can be asked of them.' },
  { name: 'streams', description: 'Logs, commands and files: bodies that flow.' },
  {
    name: 'networks',
    description: 'Networks, subnets, ports, security groups, routers and floating IPs: the nouns of Neutron.',
  },
  { name: 'volumes', description: 'Data that outlives containers, and snapshots and backups of it.' },
  { name: 'capsules', description: 'Containers that share a network and a fate.' },
  { name: 'images', description: 'Images of a project, those shared with it, and public ones.' },
  { name: 'registries', description: 'Where images may be pulled from, and as whom.' },
  { name: 'certificates', description: 'Where the Docker API is, and what its clients may show instead of a token.' },
  { name: 'hosts', description: 'Machines with an agent and an engine.' },
  { name: 'quotas', description: 'Limits of projects.' },
  { name: 'events', description: 'What happens, as it happens.' },
  { name: 'audit', description: 'Who called what, and what was answered.' },
]
