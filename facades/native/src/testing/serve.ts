import type { AddressInfo } from 'node:net'
import { createHttpApp, operations } from '@gantry/http'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { nativeFacade } from '../index.ts'
import { fakeCertificates, fakeDockerPorts } from './fake-certificates.ts'
import { type FakeCloud, fakeCloud } from './fake-control.ts'
import { fakeNamespaces } from './fake-images.ts'

export interface ServedCloud extends FakeCloud, AsyncDisposable {
  readonly app: FastifyInstance
  readonly port: number
  /** Log lines written so far, parsed. */
  readonly log: Record<string, unknown>[]
}

/** The façade on a fake control, on a free port of loopback. `extend` may add routes before it listens. */
export async function serveFakeCloud(extend?: (app: FastifyInstance) => void): Promise<ServedCloud> {
  const cloud = fakeCloud()
  const log: Record<string, unknown>[] = []
  const app = createHttpApp({ log: pino({ level: 'info' }, { write: (line: string) => log.push(JSON.parse(line)) }) })
  await app.register(operations, { readiness: { store: async () => {} } })
  const createJoinToken = async () => ({ token: 'join-me', expiresAt: 0 })
  await app.register(nativeFacade, {
    ...cloud,
    createJoinToken,
    certificates: fakeCertificates(),
    dockerPorts: fakeDockerPorts,
    namespaces: fakeNamespaces,
    whenRevoked: async () => () => undefined,
    heartbeatMs: 50,
  })
  extend?.(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { ...cloud, app, port, log, [Symbol.asyncDispose]: () => app.close() }
}
