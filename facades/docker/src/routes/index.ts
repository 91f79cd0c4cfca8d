import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { archiveRoutes } from './archive.ts'
import { buildRoutes } from './build.ts'
import { containerCreateRoute } from './container-create.ts'
import { containerStreamRoutes } from './container-streams.ts'
import { containerVerbRoutes } from './container-verbs.ts'
import { containerRoutes } from './containers.ts'
import { diskUsageRoutes } from './disk-usage.ts'
import { eventRoutes } from './events.ts'
import { execRoutes } from './exec.ts'
import { imageRoutes } from './images.ts'
import { networkRoutes } from './networks.ts'
import { registryRoutes } from './registry.ts'
import { systemRoutes } from './system.ts'
import { volumeRoutes } from './volumes.ts'

const all = [
  systemRoutes,
  containerCreateRoute,
  containerRoutes,
  containerVerbRoutes,
  containerStreamRoutes,
  archiveRoutes,
  execRoutes,
  eventRoutes,
  diskUsageRoutes,
  registryRoutes,
  imageRoutes,
  buildRoutes,
  networkRoutes,
  volumeRoutes,
]

/** Every route, once for each way to write its path (with and without a version). */
export function allRoutes(app: FastifyInstance, docker: DockerContext): void {
  for (const add of all) add(app, docker)
}
