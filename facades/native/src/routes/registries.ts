import { callerOf } from '@gantry/http'
import type { Registry } from '@gantry/model'
import { type App, type NativeContext, Ref } from '../context.ts'
import { deleting, operation, showing } from '../operation.ts'
import { AllProjects, isYes, Nothing } from '../query.ts'
import { CreateRegistry, PatchRegistry, type RegistryView } from '../schemas-registry.ts'
import { isoTime } from '../times.ts'

const tag = 'registries'
const registry = { tag, noun: 'registry', schema: 'Registry' }

/** Where a project's images may be pulled from, and as whom. */
export function registryRoutes(app: App, { control }: NativeContext): void {
  const { registries } = control
  app.get('/registries', { schema: listDoc }, async (request) => {
    const found = await registries.list(callerOf(request), { allProjects: isYes(request.query.allProjects) })
    return { registries: found.map(toRegistryView) }
  })
  app.post('/registries', { schema: createDoc }, async (request, reply) => {
    const { domain, name = null, username = null, password = null } = request.body
    const made = await registries.create(callerOf(request), { name, domain, username, password })
    return reply.code(201).header('location', `/v1/registries/${made.id}`).send(toRegistryView(made))
  })
  app.get('/registries/:ref', { schema: showing(registry, Nothing) }, async (request) => {
    return toRegistryView(await registries.get(callerOf(request), request.params.ref))
  })
  app.patch('/registries/:ref', { schema: changeDoc }, async (request) => {
    const given = Object.entries(request.body).filter(([, value]) => value !== undefined)
    return toRegistryView(await registries.update(callerOf(request), request.params.ref, Object.fromEntries(given)))
  })
  app.delete('/registries/:ref', { schema: deleting(registry, Nothing) }, async (request, reply) => {
    await registries.delete(callerOf(request), request.params.ref)
    return reply.code(204).send()
  })
}

function toRegistryView({ sealedPassword, createdAt, updatedAt, ...shown }: Registry): RegistryView {
  return {
    ...shown,
    hasPassword: sealedPassword !== null,
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
  }
}

const listDoc = operation({
  operationId: 'listRegistries',
  summary: 'List registries',
  tag,
  querystring: AllProjects,
  answer: { status: 200, description: 'The registries.', content: 'RegistryList' },
})
const createDoc = operation({
  operationId: 'createRegistry',
  summary: 'Keep where images may be pulled from, and as whom',
  tag,
  body: CreateRegistry,
  answer: { status: 201, description: 'It is kept.', content: 'Registry' },
})
const changeDoc = operation({
  operationId: 'changeRegistry',
  summary: 'Change a registry; another domain needs the password again',
  tag,
  params: Ref,
  body: PatchRegistry,
  answer: { status: 200, description: 'The registry as it is now.', content: 'Registry' },
})
