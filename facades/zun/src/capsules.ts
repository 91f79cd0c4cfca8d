import { type CapsuleView, parseCapsuleTemplate } from '@gantry/control'
import { baseUrl, callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Caller, CapsuleId } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { flag, queryOf } from './arguments.ts'
import { bodyCheck } from './body-rules.ts'
import { baseOf, refOf, viewOf, type Zun } from './context.ts'
import { schemaError } from './errors.ts'
import { minorOf } from './microversion.ts'
import { nextPage, type Page, readPage } from './paging.ts'
import { capsuleRules } from './schemas.ts'
import { toCapsule } from './translate-capsule.ts'

const sortKeys = ['id', 'uuid', 'name', 'status', 'created_at', 'updated_at']
/** Capsules that one call to control gives at most. */
const pageSize = 1000

/** Capsules: containers that share one network and one life. */
export function capsuleRoutes(app: FastifyInstance, zun: Zun): void {
  const { capsules } = zun.control
  const checkNew = bodyCheck(capsuleRules, ['template'])
  const show = (request: FastifyRequest, found: CapsuleView) =>
    toCapsule(found, minorOf(request), { ...viewOf(zun, request), base: baseOf(zun, request) })

  app.get('/capsules', async (request) => {
    const query = queryOf(request)
    const page = readPage(query, sortKeys, 'id')
    const allProjects = flag(query, 'all_projects', false)
    const found = await listCapsules(zun, callerOf(request), allProjects, page)
    const last = found.at(-1)?.capsule.id
    const next = nextPage(`${baseUrl(request)}/v1/capsules`, query, page, last, found.length)
    return { capsules: found.map((one) => show(request, one)), next }
  })

  app.post('/capsules', async (request, reply) => {
    const { template } = checkNew(request.body ?? {}, minorOf(request))
    const made = await capsules.create(callerOf(request), readTemplate(template))
    const location = `${baseOf(zun, request)}/v1/capsules/${made.capsule.id}`
    return reply.code(202).header('location', location).send(show(request, made))
  })

  app.get('/capsules/:ref', async (request) => {
    const allProjects = flag(queryOf(request), 'all_projects', false)
    return show(request, await capsules.get(callerOf(request), refOf(request), { allProjects }))
  })

  app.delete('/capsules/:ref', async (request, reply) => {
    const allProjects = flag(queryOf(request), 'all_projects', false)
    await capsules.delete(callerOf(request), refOf(request), { allProjects })
    return reply.code(204).send()
  })
}

function readTemplate(template: unknown) {
  try {
    return parseCapsuleTemplate(template)
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid') throw schemaError(error.message)
    throw error
  }
}

/** Control gives capsules by age, page by page; any other order is made here, from all of them. */
async function listCapsules(zun: Zun, caller: Caller, allProjects: boolean, page: Page): Promise<CapsuleView[]> {
  const { capsules } = zun.control
  if (page.marker !== null) await markerMustExist(zun, caller, page.marker, allProjects)
  if (byAge(page)) {
    return capsules.list(caller, { allProjects, limit: page.limit, marker: page.marker as CapsuleId | null })
  }
  const all: CapsuleView[] = []
  for (let marker: CapsuleId | null = null; ; ) {
    const found: CapsuleView[] = await capsules.list(caller, { allProjects, limit: pageSize, marker })
    all.push(...found)
    marker = found.at(-1)?.capsule.id ?? null
    if (found.length < pageSize) break
  }
  if (!['id', 'created_at'].includes(page.sortKey)) all.sort((a, b) => compare(keyOf(a, page), keyOf(b, page)))
  if (page.descending) all.reverse()
  const start = page.marker === null ? 0 : all.findIndex(({ capsule }) => capsule.id === page.marker) + 1
  return all.slice(start, start + page.limit)
}

function byAge({ sortKey, descending }: Page): boolean {
  return (sortKey === 'id' || sortKey === 'created_at') && !descending
}

function keyOf({ capsule, status }: CapsuleView, { sortKey }: Page): string | number {
  if (sortKey === 'status') return status
  if (sortKey === 'updated_at') return capsule.updatedAt
  return sortKey === 'uuid' ? capsule.id : capsule.name
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : Number(a > b)
}

async function markerMustExist({ control }: Zun, caller: Caller, marker: string, allProjects: boolean): Promise<void> {
  const { capsule } = await control.capsules.get(caller, marker, { allProjects })
  // A name is not a marker.
  if (capsule.id !== marker) throw new Fault('capsule.not-found', { ref: marker })
}
