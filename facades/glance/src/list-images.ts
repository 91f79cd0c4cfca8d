import { callerOf } from '@gantry/http'
import type { Image } from '@gantry/model'
import type { FastifyRequest } from 'fastify'
import type { Images } from './context.ts'
import { invalid } from './errors.ts'
import { filtersOf } from './filters.ts'
import { type Query, valueOf } from './list-query.ts'

const memberStatuses = ['accepted', 'pending', 'rejected', 'all'] as const

/** All that fits the query, in no order yet. Administrators see every project's, as in Glance. */
export async function fittingImages(images: Images, request: FastifyRequest, query: Query): Promise<Image[]> {
  const caller = callerOf(request)
  const said = valueOf(query, 'member_status') ?? 'accepted'
  const memberStatus = memberStatuses.find((each) => each === said)
  if (!memberStatus) throw invalid(`member_status must be one of ${memberStatuses.join(', ')}.`)
  const fits = filtersOf(query)
  const all = await images.list(caller, { allProjects: caller.isAdmin, memberStatus })
  // Signatures and the like are a registry's business.
  return all.filter((image) => image.kind !== 'artifact' && fits(image))
}
