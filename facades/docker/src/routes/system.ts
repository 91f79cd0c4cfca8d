import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { infoOf } from '../translate-info.ts'
import { engineVersion, newestVersion, oldestVersion } from '../versions.ts'

const noCache = { 'cache-control': 'no-cache, no-store, must-revalidate', pragma: 'no-cache' } as const

/** What a client asks about the engine itself: one that is the project's alone. */
export function systemRoutes(app: FastifyInstance, docker: DockerContext): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/_ping',
    config: { quiet: true },
    handler: (request, reply) =>
      reply
        .headers({ ...noCache, 'builder-version': '1', swarm: 'inactive', 'content-type': 'text/plain; charset=utf-8' })
        .send(request.method === 'HEAD' ? '' : 'OK'),
  })
  app.get('/version', () => version)
  app.get('/info', async (request) => infoOf(docker.control, docker.callerOf(request), docker.clock.now()))
  clusterRoutes(app)
  pluginRoutes(app)
}

const version = {
  Platform: { Name: 'Gantry' },
  Components: [
    {
      Name: 'Engine',
      Version: engineVersion,
      Details: {
        ApiVersion: `1.${newestVersion}`,
        Arch: goArch(),
        BuildTime: '',
        Experimental: 'false',
        GitCommit: 'gantry',
        GoVersion: 'none',
        KernelVersion: '',
        MinAPIVersion: `1.${oldestVersion}`,
        Os: 'linux',
      },
    },
  ],
  Version: engineVersion,
  ApiVersion: `1.${newestVersion}`,
  MinAPIVersion: `1.${oldestVersion}`,
  GitCommit: 'gantry',
  GoVersion: 'none',
  Os: 'linux',
  Arch: goArch(),
  KernelVersion: '',
  BuildTime: '',
}

function goArch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch
}

const clusterNouns = ['swarm', 'services', 'tasks', 'nodes', 'secrets', 'configs']
const every = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD']

/** Docker's own words on a node that is in no swarm. */
function clusterRoutes(app: FastifyInstance): void {
  const refuse = () => {
    throw new Refusal(
      503,
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    )
  }
  for (const noun of clusterNouns) {
    app.route({ method: every, url: `/${noun}`, handler: refuse })
    app.route({ method: every, url: `/${noun}/*`, handler: refuse })
  }
}

/** A plugin is root on its host. */
function pluginRoutes(app: FastifyInstance): void {
  const refuse = (request: FastifyRequest) => {
    const name = /\/plugins\/(.+)\/json$/.exec(request.url.split('?', 1)[0] ?? '')?.[1]
    if (request.method === 'GET' && name !== undefined) {
      throw new Refusal(404, `plugin "${decodeURIComponent(name)}" not found`)
    }
    throw new Refusal(403, 'plugins are not allowed by this service: they would run as root on its hosts')
  }
  app.get('/plugins', () => [])
  app.route({ method: every, url: '/plugins/*', handler: refuse })
}
