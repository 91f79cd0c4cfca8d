import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { systemRoutes } from './system.ts'

/** Every route, once for each way to write its path (with and without a version). */
export function allRoutes(app: FastifyInstance, docker: DockerContext): void {
  for (const add of [systemRoutes]) add(app, docker)
}
