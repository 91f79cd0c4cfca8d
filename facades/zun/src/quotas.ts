import { callerOf } from '@gantry/http'
import type { ProjectId, QuotaMap } from '@gantry/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { queryOf, text } from './arguments.ts'
import { bodyCheck } from './body-rules.ts'
import { refOf, sendNull, type Zun } from './context.ts'
import { minorOf } from './microversion.ts'
import { quotaRules } from './schemas.ts'

/** What Zun's clients know; others are set in Gantry's own API. */
const zunResources = ['containers', 'memory', 'cpu', 'disk'] as const
type ZunResource = (typeof zunResources)[number]

/** Flat quotas of a project, and the class that overrides the built-in defaults. */
export function quotaRoutes(app: FastifyInstance, zun: Zun): void {
  const { quotas } = zun.control
  const checkLimits = bodyCheck(quotaRules)
  const limitsOf = (request: FastifyRequest) => toLimits(checkLimits(request.body ?? {}, minorOf(request)))

  app.get('/quotas/:ref', async (request) => {
    const { limits, used } = await quotas.get(callerOf(request), projectOf(request))
    return text(queryOf(request), 'usages') === undefined ? flat(limits) : withUsage(limits, used)
  })

  app.get('/quotas/:ref/defaults', async (request) => {
    return flat(await quotas.defaults(callerOf(request), projectOf(request)))
  })

  app.put('/quotas/:ref', async (request) => {
    return flat(await quotas.set(callerOf(request), projectOf(request), limitsOf(request)))
  })

  app.delete('/quotas/:ref', async (request, reply) => {
    await quotas.clear(callerOf(request), projectOf(request))
    return sendNull(reply, 200)
  })

  app.get('/quota_classes/:ref', async (request) => {
    return flat(await quotas.getClass(callerOf(request), refOf(request)))
  })

  app.put('/quota_classes/:ref', async (request) => {
    return flat(await quotas.setClass(callerOf(request), refOf(request), limitsOf(request)))
  })
}

function projectOf(request: FastifyRequest): ProjectId {
  return refOf(request) as ProjectId
}

function toLimits(body: Readonly<Record<string, unknown>>): Partial<QuotaMap> {
  const given = zunResources.filter((name) => body[name] !== undefined && body[name] !== null)
  return Object.fromEntries(given.map((name): [ZunResource, number] => [name, Number(body[name])]))
}

function flat(limits: QuotaMap): Pick<QuotaMap, ZunResource> {
  const { containers, memory, cpu, disk } = limits
  return { containers, memory, cpu, disk }
}

function withUsage(limits: QuotaMap, used: QuotaMap): object {
  return Object.fromEntries(zunResources.map((name) => [name, { limit: limits[name], in_use: used[name] }]))
}
