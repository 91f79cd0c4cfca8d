import Type, { type Static } from 'typebox'
import { maybe } from '../bodies.ts'
import { type Context, path, type Query } from '../call.ts'
import { reader, within } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'

export const Stack = Type.Object({
  id: Type.String(),
  stack_name: Type.String(),
  /** CREATE_IN_PROGRESS, CREATE_COMPLETE, CREATE_FAILED, UPDATE_…, DELETE_… */
  stack_status: Type.String(),
  stack_status_reason: maybe(Type.String()),
  outputs: Type.Optional(
    Type.Array(Type.Object({ output_key: Type.String(), output_value: Type.Optional(Type.Unknown()) })),
  ),
})
export type Stack = Static<typeof Stack>

/** Both words: Heat sends who says only one elsewhere, and no redirect is followed with a token. */
export type StackName = Pick<Stack, 'id' | 'stack_name'>

export const StackResource = Type.Object({
  resource_name: Type.String(),
  resource_type: Type.String(),
  resource_status: Type.String(),
  resource_status_reason: maybe(Type.String()),
  physical_resource_id: maybe(Type.String()),
})
export type StackResource = Static<typeof StackResource>

export interface StackCreate {
  readonly stack_name: string
  readonly template: string | Readonly<Record<string, unknown>>
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly timeout_mins?: number
  readonly disable_rollback?: boolean
}

/** Heat v1. */
export interface OrchestrationService {
  list(filters: Query, context: Context): AsyncIterable<Stack>
  show(stack: StackName, context: Context): Promise<Stack>
  create(body: StackCreate, context: Context): Promise<StackName>
  update(stack: StackName, body: Omit<StackCreate, 'stack_name'>, context: Context): Promise<void>
  remove(stack: StackName, context: Context): Promise<boolean>
  resources(stack: StackName, context: Context): AsyncIterable<StackResource>
}

const stack = reader(Stack)
const one = within('stack', stack)
const created = within('stack', reader(Type.Object({ id: Type.String() })))
const resource = reader(StackResource)

export function orchestrationService(session: Session): OrchestrationService {
  const service = serviceOf(session, kinds.orchestration)
  const stackPath = ({ stack_name, id }: StackName) => path`/stacks/${stack_name}/${id}`
  return {
    list: (filters, context) =>
      service.list('/stacks', { key: 'stacks', item: stack, next: 'link', marker: ({ id }) => id }, filters, context),
    show: (name, context) => service.read(one, { method: 'GET', path: stackPath(name) }, context),
    async create(body, context) {
      const { id } = await service.read(created, { method: 'POST', path: '/stacks', json: body }, context)
      return { id, stack_name: body.stack_name }
    },
    async update(name, body, context) {
      await service.send({ method: 'PUT', path: stackPath(name), json: body }, context)
    },
    remove: (name, context) => service.remove(stackPath(name), context),
    resources: (name, context) =>
      service.list(
        `${stackPath(name)}/resources`,
        { key: 'resources', item: resource, next: 'whole', marker: ({ resource_name }) => resource_name },
        {},
        context,
      ),
  }
}
