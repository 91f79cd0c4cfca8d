import type { Socket } from 'node:net'
import type { RegistryVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { parseBasic } from './basic.ts'
import { distributionRoutes } from './distribution.ts'
import { registryErrors } from './errors.ts'

export interface HostRegistryOptions {
  readonly registry: Pick<RegistryVerbs, 'forHost'>
  /** Whose connection this is; null: no host's. */
  readonly hostOf: (socket: Socket) => HostId | null
}

/**
 * The registry as hosts see it. Who asks is known by the connection, what for by the pass that engines show as the password.
 * Register it at `/v2` on an instance that no tenant reaches.
 */
export async function hostRegistry(app: FastifyInstance, { registry, hostOf }: HostRegistryOptions): Promise<void> {
  app.setErrorHandler(registryErrors(() => 'Basic realm="gantry"'))
  distributionRoutes(app, async (request) => {
    const hostId = hostOf(request.raw.socket)
    const login = parseBasic(request.headers.authorization)
    // An engine that is not asked for its login at the first question does not show it later.
    if (hostId === null || login === null) throw new Fault('auth.required', { reason: 'no pass is shown' })
    return {
      repository: (name) => registry.forHost(hostId, login.password, name),
      // What a pass is for, each call of the repository asks itself.
      mayTakeFrom: () => true,
    }
  })
}
