import { type ContainerFilters, type ContainerSortKey, containerSortKeys } from '@gantry/control'
import { baseUrl, callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId } from '@gantry/model'
import type { FastifyRequest } from 'fastify'
import { type Arguments, flag, parseBoolean, queryOf, text } from './arguments.ts'
import type { Zun } from './context.ts'
import { Refusal } from './errors.ts'
import { nextPage, readPage } from './paging.ts'
import { toWire } from './translate.ts'

const pageParameters = ['limit', 'marker', 'sort_key', 'sort_dir', 'all_projects']
const filterNames = ['name', 'image', 'project_id', 'user_id', 'memory', 'host', 'task_state', 'status', 'auto_remove']
/** Fields that only administrators see, so only they may ask about them. */
const hiddenFields = ['host', 'runtime', 'privileged']

/** GET /v1/containers. Built in one pass over plain rows: a page has up to 1,000 of them. */
export async function listContainers(zun: Zun, request: FastifyRequest): Promise<object> {
  const caller = callerOf(request)
  const query = queryOf(request)
  refuseUnknown(query, caller)
  const page = readPage(query, containerSortKeys, 'id')
  const allProjects = flag(query, 'all_projects', false)
  if (page.marker !== null) await markerMustExist(zun, caller, page.marker, allProjects)
  const found = await zun.control.containers.list(caller, {
    filters: readFilters(query),
    sortKey: page.sortKey as ContainerSortKey,
    descending: page.descending,
    limit: page.limit,
    marker: page.marker as ContainerId | null,
    allProjects,
  })
  const view = { admin: caller.isAdmin, now: zun.clock.now(), base: null }
  return {
    containers: found.map((container) => toWire(container, view)),
    // Clients drop scheme and host and cut one leading /v1, then put the rest behind their own address of this service,
    // so the mount prefix must not be in it.
    next: nextPage(`${baseUrl(request)}/v1/containers`, query, page, found.at(-1)?.id, found.length),
  }
}

function readFilters(query: Arguments): ContainerFilters {
  const pick = (name: string, key: keyof ContainerFilters) => {
    const value = text(query, name, 255)
    return value === undefined ? {} : { [key]: value }
  }
  const autoRemove = text(query, 'auto_remove')
  return {
    ...pick('name', 'name'),
    ...pick('image', 'image'),
    ...pick('project_id', 'projectId'),
    ...pick('user_id', 'userId'),
    ...pick('host', 'host'),
    ...pick('status', 'status'),
    ...('task_state' in query ? { task: text(query, 'task_state', 255) ?? null } : {}),
    ...memoryFilter(query),
    ...(autoRemove === undefined ? {} : { autoRemove: booleanFilter(autoRemove) }),
  }
}

function memoryFilter(query: Arguments): ContainerFilters {
  const value = text(query, 'memory')
  if (value === undefined) return {}
  const match = /^(\d{1,9})[mM]?$/.exec(value)
  if (!match) throw new Refusal(400, 'invalid-value', 'The filter memory must be a number of MiB.')
  return { memory: Number(match[1]) }
}

function booleanFilter(value: string): boolean {
  const parsed = parseBoolean(value)
  if (parsed === undefined) throw new Refusal(400, 'invalid-value', 'The filter auto_remove must be true or false.')
  return parsed
}

function refuseUnknown(query: Arguments, caller: Caller): void {
  for (const name of Object.keys(query)) {
    if (hiddenFields.includes(name) && !caller.isAdmin) {
      throw new Fault('policy.forbidden', { action: `filter by ${name}`, reason: 'only administrators see that field' })
    }
    if (!pageParameters.includes(name) && !filterNames.includes(name)) {
      throw new Refusal(400, 'invalid-value', `Unknown parameter ${name.slice(0, 80)} in the list of containers.`)
    }
  }
}

async function markerMustExist(zun: Zun, caller: Caller, marker: string, allProjects: boolean): Promise<void> {
  const container = await zun.control.containers.get(caller, marker, { allProjects })
  // A name is not a marker.
  if (container.id !== marker) throw new Fault('container.not-found', { ref: marker })
}
