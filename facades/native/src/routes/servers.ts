import { callerOf } from '@gantry/http'
import Type, { type Static } from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { operation } from '../operation.ts'
import { isoTime } from '../times.ts'

const Time = Type.String({ format: 'date-time' })
const Maybe = Type.Union([Type.String(), Type.Null()])
const ServerList = Type.Object({
  servers: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      version: Type.String(),
      startedAt: Time,
      seenAt: Time,
      isThis: Type.Boolean({ description: 'It is the one that answers.' }),
      hosts: Type.Integer({ description: 'How many hosts hang on it.' }),
      peer: { ...Maybe, description: 'Where other servers reach it.' },
      agents: { ...Maybe, description: 'Where agents reach it.' },
    }),
  ),
})
export type ServerListView = Static<typeof ServerList>

export function serverRoutes(app: App, { control }: NativeContext): void {
  app.get('/servers', { schema: listDoc }, async (request) => {
    const servers = await control.servers.list(callerOf(request))
    return {
      servers: servers.map(({ startedAt, seenAt, hosts, ...rest }) => ({
        ...rest,
        startedAt: isoTime(startedAt),
        seenAt: isoTime(seenAt),
        hosts: hosts.length,
      })),
    }
  })
}

const listDoc = operation({
  operationId: 'listServers',
  summary: 'List the servers of this cloud, oldest first; administrators only',
  tag: 'hosts',
  answer: { status: 200, description: 'Those that are alive.', content: ServerList },
})
