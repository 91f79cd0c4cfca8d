import { baseUrl, callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Registry } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { type Arguments, flag, queryOf, text } from './arguments.ts'
import { type BodyRules, bodyCheck, type FieldRule } from './body-rules.ts'
import { baseOf, refOf, type Zun } from './context.ts'
import { schemaError } from './errors.ts'
import { minorOf } from './microversion.ts'
import { nextPage, readPage } from './paging.ts'
import { linksTo } from './translate.ts'

/** Where images are pulled from, and as whom. Bodies and replies are wrapped: `{"registry": …}`. */
export function registryRoutes(app: FastifyInstance, zun: Zun): void {
  const { registries } = zun.control
  const checkNew = wrapped(registryRules, ['domain'])
  const checkChange = wrapped(registryRules)
  const single = (request: FastifyRequest, registry: Registry) => ({
    registry: { ...toRegistry(registry), links: linksTo(baseOf(zun, request), 'registries', registry.id) },
  })

  app.get('/registries', async (request) => {
    const query = queryOf(request)
    const page = readPage(query, ['id', ...Object.keys(keys)], 'id')
    const all = await registries.list(callerOf(request), { allProjects: flag(query, 'all_projects', false) })
    const sorted = sort(all, keys[page.sortKey], page.descending)
    const marker = page.marker === null ? -1 : sorted.findIndex(({ id }) => id === page.marker)
    if (page.marker !== null && marker < 0) throw new Fault('registry.not-found', { ref: page.marker })
    const left = sorted.slice(marker + 1).filter((registry) => isAskedFor(registry, query))
    const found = left.slice(0, page.limit)
    const next = nextPage(`${baseUrl(request)}/v1/registries`, query, page, found.at(-1)?.id, found.length)
    return { registries: found.map(toRegistry), next }
  })

  app.post('/registries', async (request, reply) => {
    const { name = null, domain = '', username = null, password = null } = checkNew(request)
    const registry = await registries.create(callerOf(request), { name, domain, username, password })
    const location = `${baseOf(zun, request)}/v1/registries/${registry.id}`
    return reply.code(201).header('location', location).send(single(request, registry))
  })

  app.get('/registries/:ref', async (request) => {
    return single(request, await registries.get(callerOf(request), refOf(request)))
  })

  app.patch('/registries/:ref', async (request) => {
    const change = checkChange(request)
    return single(request, await registries.update(callerOf(request), refOf(request), change))
  })

  app.delete('/registries/:ref', async (request, reply) => {
    await registries.delete(callerOf(request), refOf(request))
    return reply.code(204).send()
  })
}

const line = (maxLength: number): FieldRule => ({
  schema: Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000]*$' }),
  expected: `a string of 1 to ${maxLength} characters`,
})

const registryRules: BodyRules = {
  name: {
    schema: Type.String({ minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$' }),
    expected: '2 to 255 letters, digits, dots, dashes or underscores, beginning with a letter or digit',
  },
  domain: line(255),
  username: line(255),
  password: line(16_384),
}

interface RegistryBody {
  readonly name?: string
  readonly domain?: string
  readonly username?: string
  readonly password?: string
}

function wrapped(rules: BodyRules, required: readonly string[] = []): (request: FastifyRequest) => RegistryBody {
  const check = bodyCheck(rules, required)
  return (request) => {
    const { body } = request
    if (typeof body !== 'object' || body === null || Object.keys(body).join() !== 'registry') {
      throw schemaError('The request body must be a JSON object with the one field registry.')
    }
    return check((body as { registry: unknown }).registry, minorOf(request))
  }
}

/** What a list can be sorted by, besides the age; the same, with other names, as Zun's columns. */
const keys: Readonly<Record<string, (registry: Registry) => string | number>> = {
  uuid: ({ id }) => id,
  name: ({ name }) => name,
  domain: ({ domain }) => domain,
  username: ({ username }) => username ?? '',
  project_id: ({ projectId }) => projectId,
  user_id: ({ userId }) => userId,
  created_at: ({ createdAt }) => createdAt,
  updated_at: ({ updatedAt }) => updatedAt,
}

/** The list comes ordered by age, and equal ones stay so. */
function sort(all: readonly Registry[], key: (typeof keys)[string] = () => 0, descending: boolean): Registry[] {
  const order = (a: Registry, b: Registry) => (key(a) < key(b) ? -1 : Number(key(a) > key(b)))
  const sorted = all.toSorted(order)
  return descending ? sorted.reverse() : sorted
}

function isAskedFor(registry: Registry, query: Arguments): boolean {
  return ['name', 'domain', 'username', 'project_id', 'user_id'].every((name) => {
    const wanted = text(query, name)
    return wanted === undefined || keys[name]?.(registry) === wanted
  })
}

/** Whether there is a password is nobody's to learn here either. */
function toRegistry(registry: Registry) {
  return {
    uuid: registry.id,
    name: registry.name,
    project_id: registry.projectId,
    user_id: registry.userId,
    domain: registry.domain,
    username: registry.username,
    password: '***',
  }
}
