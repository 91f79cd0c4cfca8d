import { callerOf } from '@gantry/http'
import Type, { type Static } from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { operation } from '../operation.ts'
import { isoTime } from '../times.ts'

const Maybe = Type.Union([Type.String(), Type.Null()])
const InstanceList = Type.Object({
  instances: Type.Array(
    Type.Object({
      id: Type.String({ description: 'Of the instance, and of its host once that has joined.' }),
      name: Type.String(),
      state: Type.String({ description: 'wanted, booting, joined, reaping or failed.' }),
      projectId: { ...Maybe, description: 'Whose containers alone it takes.' },
      providerId: { ...Maybe, description: 'As its provider calls it.' },
      reason: { ...Maybe, description: 'Why it is deleted although it is needed.' },
      containers: Type.Integer(),
      createdAt: Type.String({ format: 'date-time' }),
      since: Type.String({ format: 'date-time', description: 'When it got into this state.' }),
    }),
  ),
})
export type InstanceListView = Static<typeof InstanceList>

export function instanceRoutes(app: App, { control }: NativeContext): void {
  app.get('/instances', { schema: listDoc }, async (request) => {
    const instances = await control.hosts.instances(callerOf(request))
    return {
      instances: instances.map(({ id, name, state, projectId, providerId, reason, containers, createdAt, since }) => ({
        id,
        name,
        state,
        projectId,
        providerId,
        reason,
        containers,
        createdAt: isoTime(createdAt),
        since: isoTime(since),
      })),
    }
  })
}

const listDoc = operation({
  operationId: 'listInstances',
  summary: 'List the hosts that were made on demand, oldest first; administrators only',
  tag: 'hosts',
  answer: {
    status: 200,
    description: 'Those that are, and those that failed in the last hour.',
    content: InstanceList,
  },
})
