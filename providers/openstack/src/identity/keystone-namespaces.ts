import type { Log, Namespaces } from '@gantry/control'
import type { Clock } from '@gantry/kernel'
import { isRepositoryName, type ProjectId } from '@gantry/model'
import { allOf, identityService, isOpenStackError, type Project } from '@gantry/openstack'
import type { CloudAccess } from '../cloud-access.ts'
import { cannotAsk } from './keystone-errors.ts'
import { remembered } from './remembered.ts'

export interface KeystoneNamespacesParts {
  readonly access: Pick<CloudAccess, 'service' | 'contextOf'>
  readonly clock: Clock
  readonly log: Log
}

/** So long the old name of a project or user may be seen. Milliseconds. */
const keptMs = 60_000
const most = 2_000
const defaultDomainId = 'default'
const projectId = /^[0-9a-f]{32}$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Projects in the names of repositories, as Keystone calls them. A name that several domains have is that of the default domain's
 * project, so that nobody takes it away by calling her own the same; without one there, it leads nowhere. An id always leads to
 * its project. Throws `service.unavailable` when Keystone cannot be asked and was not asked before.
 */
export function keystoneNamespaces({ access, clock, log }: KeystoneNamespacesParts): Namespaces {
  const keystone = identityService(access.service)
  const options = { clock, keptMs, most }

  const projectWithId = remembered(options, (id) =>
    asked<Project | null>(() => keystone.projects.show(id, access.contextOf({})), null),
  )
  const projectCalled = remembered(options, async (name) => {
    const found = await asked(() => allOf(keystone.projects.list({ name }, access.contextOf({}))), [])
    const [only] = found
    return found.find((one) => one.domain_id === defaultDomainId) ?? (found.length === 1 && only ? only : null)
  })
  const userName = remembered(options, (id) =>
    asked(async () => (await keystone.users.show(id, access.contextOf({}))).name, id),
  )

  /** `none`: for what there is not. */
  async function asked<T>(ask: () => Promise<T>, none: T): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (isOpenStackError(error, 404) || isOpenStackError(error, 400)) return none
      throw cannotAsk(error, log)
    }
  }

  /** Only what looks like an id is asked for as one. */
  async function byId(text: string): Promise<Project | null> {
    const id = uuid.test(text) ? text.replaceAll('-', '') : text
    return projectId.test(id) ? projectWithId(id) : null
  }

  return {
    async projectOf(namespace) {
      const found = (await byId(namespace)) ?? (await projectCalled(namespace))
      return found ? (found.id as ProjectId) : null
    },
    async namespaceOf(id) {
      const name = (await projectWithId(id))?.name ?? ''
      if (name.includes('/') || !isRepositoryName(name) || (await byId(name))) return id
      return (await projectCalled(name))?.id === id ? name : id
    },
    userNameOf: (id) => userName(id).catch(() => id),
  }
}
