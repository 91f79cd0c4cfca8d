import type { ForeignImage, ImageExchange } from '@gantry/control'
import type { Clock } from '@gantry/kernel'
import type { Caller, ProjectId } from '@gantry/model'
import { allOf, type Image, type ImageService, imageService } from '@gantry/openstack'
import type { CloudAccess } from '../cloud-access.ts'
import { foreignImage, nameFilter, recordOf } from './foreign-image.ts'
import { asking, askingIfAny, ifNotYet, opened } from './glance-calls.ts'
import { ownGlance } from './own-glance.ts'
import { callerMemory } from '../caller-memory.ts'

export interface GlanceParts {
  readonly access: CloudAccess
  readonly clock: Clock
  /** Of this cloud: marks what is made for it at Glance. */
  readonly deployment: string
}

/** Images at Glance. Who came without a token (what a dead server left is done for her) is judged here, as Glance would. */
export function glanceExchange(parts: GlanceParts): ImageExchange {
  const { access, clock, deployment } = parts
  const remembered = callerMemory(clock)
  const own = ownGlance(parts)

  const glanceOf = (caller: Caller): ImageService => imageService(caller.token ? access.of(caller) : access.service)

  async function mayUse(caller: Caller, image: Image): Promise<boolean> {
    if (caller.token || image.owner === caller.projectId) return true
    if (image.visibility === 'public' || image.visibility === 'community') return true
    if (image.visibility !== 'shared') return false
    const members = await allOf(imageService(access.service).members.list(image.id, access.contextOf(caller)))
    return members.some(({ member_id }) => member_id === caller.projectId)
  }

  async function listed(caller: Caller, query: Readonly<Record<string, string>>): Promise<Image[]> {
    const found = await asking('', () => allOf(glanceOf(caller).list(query, access.contextOf(caller))))
    const seen: Image[] = []
    for (const image of found) if (await mayUse(caller, image)) seen.push(image)
    return seen
  }

  async function named(caller: Caller, names: readonly string[], owner?: ProjectId): Promise<ForeignImage[]> {
    const query = { name: nameFilter(names) }
    if (owner === undefined) return (await listed(caller, query)).map(foreignImage)
    const [lent, community] = await Promise.all([
      listed(caller, { ...query, owner, member_status: 'all' }),
      listed(caller, { ...query, owner, visibility: 'community' }),
    ])
    const byId = new Map([...lent, ...community].map((image) => [image.id, image]))
    return [...byId.values()].map(foreignImage)
  }

  /** What somebody is told of after it must not be what was so before. */
  async function changing<T>(image: string, work: () => Promise<T>): Promise<T> {
    try {
      return await asking(image, work)
    } finally {
      remembered.forget()
    }
  }

  return {
    own,
    get: (caller, id) =>
      remembered.of(
        caller,
        `id ${id}`,
        async () => {
          const found = await askingIfAny(() => glanceOf(caller).show(id, access.contextOf(caller)))
          return found && (await mayUse(caller, found)) ? foreignImage(found) : null
        },
        (found) => found?.status === 'active',
      ),
    named: (caller, names, owner) =>
      remembered.of(
        caller,
        `name ${JSON.stringify([names, owner])}`,
        () => named(caller, names, owner),
        (found) => found.length > 0 && found.every(({ status }) => status === 'active'),
      ),
    async announce(caller, image) {
      const record = recordOf(image, { deployment, withOwner: !caller.token })
      await changing(image.name, () => glanceOf(caller).create(record, access.contextOf(caller)))
    },
    async change(caller, id, change) {
      const patches = Object.entries(change).map(([key, value]) => ({ op: 'replace', path: `/${key}`, value }) as const)
      await changing(id, () => glanceOf(caller).update(id, patches, access.contextOf(caller)))
    },
    async remove(caller, id) {
      await changing(id, () => glanceOf(caller).remove(id, access.contextOf(caller)))
    },
    async share(caller, id, projectId) {
      const context = access.contextOf(caller)
      await changing(id, () => ifNotYet(glanceOf(caller).members.add(id, projectId, context)))
    },
    async answer(caller, id, projectId, status) {
      await changing(id, () => glanceOf(caller).members.decide(id, projectId, status, access.contextOf(caller)))
    },
    async unshare(caller, id, projectId) {
      await changing(id, () => glanceOf(caller).members.remove(id, projectId, access.contextOf(caller)))
    },
    open: (caller, id, signal) => opened(glanceOf(caller), id, { signal, requestId: caller.requestId }),
  }
}
