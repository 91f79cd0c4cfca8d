import { Fault } from '@gantry/kernel'
import { callerOf } from '@gantry/http'
import type { Caller, ContainerId } from '@gantry/model'
import Type, { type Static } from 'typebox'
import { containerSortKeys, type Health, type ListContainers, type NewContainer } from '@gantry/control'
import { type App, type NativeContext, Ref } from '../context.ts'
import { operation } from '../operation.ts'
import { bounded, flag, isYes, oneOf, text, whole } from '../query.ts'
import { CreateContainer, CreateContainers, PatchContainer, RenameContainer } from '../schemas.ts'
import { namingFields } from '../refused-field.ts'
import { accepted, shown, shownAfter } from '../shown.ts'
import { fromNative, toContainerView } from '../translate.ts'

const tag = 'containers'

/** How the API spells the store's sort keys. */
const sortKeys: ReadonlyMap<string, (typeof containerSortKeys)[number]> = new Map(
  containerSortKeys
    .filter((key) => key !== 'uuid')
    .map((key) => [key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase()), key]),
)

const AllProjects = Type.Object(
  { allProjects: flag('Every project; administrators only.') },
  { additionalProperties: false },
)

const ListQuery = Type.Object(
  {
    ...AllProjects.properties,
    name: text('Only those of this name.'),
    image: text('Only those of this image.', 512),
    status: text('Only those in this status.'),
    host: text('Only those on this host; administrators only.'),
    project: text('Only those of this project; administrators only.'),
    user: text('Only those this user made.'),
    memory: whole('Only those with this limit, MiB.'),
    health: oneOf(['starting', 'healthy', 'unhealthy'], 'Only those whose health check found this last.'),
    autoRemove: flag('Only those that are, or are not, removed when they end.'),
    sort: oneOf([...sortKeys.keys()], 'What to sort by; createdAt if left out.'),
    order: oneOf(['asc', 'desc'], 'desc, newest first, if left out.'),
    limit: whole('At most so many (1 to 1000); 100 if left out.'),
    marker: text('The `next` of the page before.'),
  },
  { additionalProperties: false },
)

const DeleteQuery = Type.Object(
  {
    ...AllProjects.properties,
    force: flag('Whatever it is doing; administrators only.'),
    stop: flag('Stop it first if it runs.'),
  },
  { additionalProperties: false },
)

const CreateQuery = Type.Object(
  { dryRun: flag('Only say whether it would be done: 200 with the container as it would be, or the refusal.') },
  { additionalProperties: false },
)

/** The collection and the single container: list, create, show, change, delete. */
export function containerRoutes(app: App, { control }: NativeContext): void {
  app.get('/containers', { schema: listDoc }, async (request) => {
    const query = toListQuery(request.query)
    // One more than asked for tells whether there is a next page.
    const found = await control.containers.list(callerOf(request), { ...query, limit: query.limit + 1 })
    const page = found.slice(0, query.limit)
    const published = await control.network.publishedOf(callerOf(request), page)
    return {
      containers: page.map((container) => toContainerView(container, callerOf(request), published.get(container.id))),
      next: found.length > page.length ? (page.at(-1)?.id ?? null) : null,
    }
  })
  const rehearsed = async (caller: Caller, input: NewContainer, count: number) =>
    toContainerView(await namingFields(control.containers.rehearse(caller, input, count)), caller)
  app.post('/containers', { schema: createDoc }, async (request, reply) => {
    const caller = callerOf(request)
    const input = fromNative(request.body)
    if (isYes(request.query.dryRun)) return reply.code(200).send(await rehearsed(caller, input, 1))
    const made = await namingFields(control.containers.create(caller, input))
    return accepted(control, request, reply.header('location', `/v1/containers/${made.id}`), made)
  })
  app.post('/containers/bulk', { schema: createManyDoc }, async (request, reply) => {
    const { count, ...alike } = request.body
    const caller = callerOf(request)
    const input = fromNative(alike)
    if (isYes(request.query.dryRun)) return reply.code(200).send(await rehearsed(caller, input, count))
    const made = await namingFields(control.containers.createMany(caller, input, count))
    return reply.code(202).send({ containers: made.map(({ id, name }) => ({ id, name })) })
  })
  app.get('/containers/summary', { schema: summaryDoc }, async (request) => {
    const { byStatus, unhealthy } = await control.containers.counts(callerOf(request), {
      allProjects: isYes(request.query.allProjects),
    })
    const total = Object.values(byStatus).reduce((sum, count) => sum + count, 0)
    return { total, byStatus, unhealthy }
  })
  app.get('/containers/:ref', { schema: showDoc }, async (request) => {
    const allProjects = isYes(request.query.allProjects)
    const found = await control.containers.get(callerOf(request), request.params.ref, { allProjects })
    return shown(control, callerOf(request), found)
  })
  app.patch('/containers/:ref', { schema: patchDoc }, async (request) => {
    const changed = await control.containers.update(callerOf(request), request.params.ref, request.body)
    return shownAfter(control, callerOf(request), changed)
  })
  app.delete('/containers/:ref', { schema: deleteDoc }, async (request, reply) => {
    const { allProjects, force, stop } = request.query
    const options = { allProjects: isYes(allProjects), force: isYes(force), stop: isYes(stop) }
    await control.containers.delete(callerOf(request), request.params.ref, options)
    return reply.code(202).send()
  })
  app.post('/containers/:ref/rename', { schema: renameDoc }, async (request) => {
    const { ref } = request.params
    const renamed = await control.containers.rename(callerOf(request), ref, request.body.name)
    return shownAfter(control, callerOf(request), renamed)
  })
}

function toListQuery(query: Static<typeof ListQuery>): ListContainers {
  const { name, image, status, host, project, user, memory, health, autoRemove } = query
  return {
    allProjects: isYes(query.allProjects),
    filters: {
      ...(name === undefined ? {} : { name }),
      ...(image === undefined ? {} : { image }),
      ...(status === undefined ? {} : { status }),
      ...(host === undefined ? {} : { host }),
      ...(project === undefined ? {} : { projectId: project }),
      ...(user === undefined ? {} : { userId: user }),
      ...(memory === undefined ? {} : { memory: Number(memory) }),
      ...(health === undefined ? {} : { health: health as Health }),
      ...(autoRemove === undefined ? {} : { autoRemove: isYes(autoRemove) }),
    },
    sortKey: sortKeyOf(query.sort ?? 'createdAt'),
    descending: query.order !== 'asc',
    limit: bounded('limit', query.limit, 100, [1, 1000]),
    marker: (query.marker as ContainerId | undefined) ?? null,
  }
}

function sortKeyOf(name: string): ListContainers['sortKey'] {
  const key = sortKeys.get(name)
  if (key === undefined) throw new Fault('request.invalid', { problem: `Containers cannot be sorted by ${name}.` })
  return key
}

const listDoc = operation({
  operationId: 'listContainers',
  summary: 'List containers',
  description: 'Those of the own project, newest first, a page at a time.',
  tag,
  querystring: ListQuery,
  answer: { status: 200, description: 'One page.', content: 'ContainerList' },
})
const summaryDoc = operation({
  operationId: 'summarizeContainers',
  summary: 'Count containers by status',
  tag,
  querystring: AllProjects,
  answer: { status: 200, description: 'How many there are.', content: 'ContainerSummary' },
})
const createDoc = operation({
  operationId: 'createContainer',
  summary: 'Create a container, and start it if `run` is true',
  description: 'Answers as soon as the wish is recorded; `GET /v1/events` tells how it goes on.',
  tag,
  querystring: CreateQuery,
  body: CreateContainer,
  answer: { status: 202, description: 'It is being created.', content: 'Container' },
  dryRun: { status: 200, description: 'It would be created like this.', content: 'Container' },
})
const createManyDoc = operation({
  operationId: 'createContainers',
  summary: 'Create up to 1,000 containers that are alike, or none of them',
  description: 'Named `web-1`, `web-2` and so on where the name is `web`. What is over quota is refused as a whole.',
  tag,
  querystring: CreateQuery,
  body: CreateContainers,
  answer: { status: 202, description: 'They are being created.', content: 'ContainersMade' },
  dryRun: { status: 200, description: 'They would be created; the first of them.', content: 'Container' },
})
const showDoc = operation({
  operationId: 'showContainer',
  summary: 'Show a container',
  tag,
  params: Ref,
  querystring: AllProjects,
  answer: { status: 200, description: 'The container.', content: 'Container' },
})
const patchDoc = operation({
  operationId: 'updateContainer',
  summary: 'Change its name, limits or healing',
  tag,
  params: Ref,
  body: PatchContainer,
  answer: { status: 200, description: 'The container as it will be.', content: 'Container' },
})
const deleteDoc = operation({
  operationId: 'deleteContainer',
  summary: 'Delete a container',
  tag,
  params: Ref,
  querystring: DeleteQuery,
  answer: { status: 202, description: 'It is being deleted.' },
})
const renameDoc = operation({
  operationId: 'renameContainer',
  summary: 'Rename a container',
  tag,
  params: Ref,
  body: RenameContainer,
  answer: { status: 200, description: 'The container under its new name.', content: 'Container' },
})
