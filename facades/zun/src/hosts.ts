import { baseUrl, callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Host } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { queryOf } from './arguments.ts'
import { baseOf, refOf, type Zun } from './context.ts'
import { nextPage, readPage } from './paging.ts'
import { linksTo } from './translate.ts'

const sortKeys = ['hostname', 'uuid', 'mem_total', 'mem_used', 'cpus', 'cpu_used', 'disk_total', 'disk_used']

/** Hosts (administrators) and availability zones (everybody). */
export function hostRoutes(app: FastifyInstance, zun: Zun): void {
  const { hosts } = zun.control
  const since4 = { config: { zun: { since: 4 } } }

  app.get('/hosts', since4, async (request) => {
    const base = baseOf(zun, request)
    const query = queryOf(request)
    const page = readPage(query, sortKeys, 'hostname')
    const all = (await hosts.list(callerOf(request))).map((host) => toHost(host, base))
    all.sort((a, b) => compare(a[page.sortKey], b[page.sortKey]) * (page.descending ? -1 : 1))
    const marker = page.marker === null ? -1 : all.findIndex(({ uuid }) => uuid === page.marker)
    if (page.marker !== null && marker < 0) throw new Fault('host.not-found', { ref: page.marker })
    const found = all.slice(marker + 1, marker + 1 + page.limit)
    const address = `${baseUrl(request)}/v1/hosts`
    return { hosts: found, next: nextPage(address, query, page, lastOf(found), found.length) }
  })

  app.get('/hosts/:ref', since4, async (request) => {
    return toHost(await hosts.get(callerOf(request), refOf(request)), baseOf(zun, request))
  })

  app.get('/availability_zones', async (request) => {
    const zones = await hosts.availabilityZones(callerOf(request))
    return { availability_zones: zones.map((zone) => ({ availability_zone: zone })), next: null }
  })
}

function toHost({ id, name, facts, used }: Host, base: string): Record<string, unknown> {
  return {
    uuid: id,
    links: linksTo(base, 'hosts', id),
    hostname: name,
    mem_total: facts.memory,
    mem_used: used.memory,
    cpus: facts.cpus,
    cpu_used: used.cpu,
    disk_total: facts.disk,
    disk_used: used.disk,
    disk_quota_supported: false,
    total_containers: used.containers,
    architecture: facts.architecture,
    os_type: facts.osType,
    os: facts.os,
    kernel_version: facts.kernelVersion,
    labels: facts.labels,
    runtimes: facts.runtimes,
    enable_cpu_pinning: false,
  }
}

function lastOf(found: readonly Record<string, unknown>[]): string | undefined {
  const last = found.at(-1)?.['uuid']
  return typeof last === 'string' ? last : undefined
}

function compare(a: unknown, b: unknown): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
}
