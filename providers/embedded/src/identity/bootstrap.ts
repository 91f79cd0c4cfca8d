import type { CatalogService, EndpointInterface, EntityTable, GrantTarget, IdentityStore } from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'
import { defaultDomainId } from './owners.ts'
import { newId } from './parts.ts'
import { passwords } from './passwords.ts'

export interface BootstrapOptions {
  readonly ids: Ids
  readonly clock: Clock
  /** More services for the catalog, with URLs that may begin with `{base}`. */
  readonly services?: readonly ServiceSketch[]
  /**
   * Keeps a new user's password for its owner. Awaited before the password is in force, so that a start which dies in
   * between makes a new one, and never leaves one that nobody knows.
   */
  readonly keep?: (credential: NewCredential) => Promise<void>
}

export interface ServiceSketch {
  readonly type: string
  readonly name: string
  readonly url: string
}

export interface NewCredential {
  readonly userName: string
  readonly projectName: string
  readonly password: string
}

export const regionName = 'RegionOne'

const ownServices: readonly ServiceSketch[] = [
  { type: 'identity', name: 'keystone', url: '{base}/identity/v3' },
  { type: 'container', name: 'zun', url: '{base}/container/v1' },
  { type: 'image', name: 'glance', url: '{base}/image' },
  { type: 'docker', name: 'gantry-docker', url: '{base}/docker' },
]
const roleNames = ['admin', 'manager', 'member', 'reader', 'service']
const projectNames = ['admin', 'demo', 'service']
const firstUsers = [
  { name: 'demo', role: 'member', system: false },
  { name: 'admin', role: 'admin', system: true },
]
const interfaces: readonly EndpointInterface[] = ['public', 'internal', 'admin']

/**
 * Makes what a new cloud needs to be used, and leaves alone what is there: it may run at every start. Answers with the
 * passwords of users that it made just now; they are kept nowhere else in readable form.
 */
export async function bootstrapIdentity(store: IdentityStore, options: BootstrapOptions): Promise<NewCredential[]> {
  const { ids, services = [] } = options
  await ensureCatalog(store, ids, [...ownServices, ...services])
  const admin = (await store.users.list({ domainId: defaultDomainId, name: 'admin' }))[0]
  // The administrator's password is written last, so all was made before; what is missing now was deleted on purpose.
  if (admin && (await store.passwords.get(admin.id))) return []

  if (!(await store.domains.get(defaultDomainId))) {
    const domain = { id: defaultDomainId, name: 'Default', description: 'The default domain', enabled: true }
    await store.domains.insert(domain)
  }
  const roles = new Map<string, string>()
  for (const name of roleNames) {
    roles.set(name, await ensure(store.roles, { name }, { id: newId(ids), name, description: null }))
  }
  const projects = new Map<string, string>()
  const plain = { domainId: defaultDomainId, parentId: null, description: '', enabled: true, tags: [] }
  for (const name of projectNames) {
    const match = { domainId: defaultDomainId, name }
    projects.set(name, await ensure(store.projects, match, { id: newId(ids), name, ...plain }))
  }
  const made: NewCredential[] = []
  for (const { name, role, system } of firstUsers) {
    const projectId = projects.get(name) ?? ''
    const targets: GrantTarget[] = [{ kind: 'project', id: projectId }]
    if (system) targets.push({ kind: 'system', id: 'all' })
    made.push(await makeUser(store, options, { name, projectId, roleId: roles.get(role) ?? '', targets }))
  }
  return made
}

interface FirstUser {
  readonly name: string
  readonly projectId: string
  readonly roleId: string
  readonly targets: readonly GrantTarget[]
}

/** Made again from where it stopped, with a new password, when the last start died in the middle. */
async function makeUser(
  store: IdentityStore,
  { ids, clock, keep }: BootstrapOptions,
  { name, projectId, roleId, targets }: FirstUser,
): Promise<NewCredential> {
  const plain = { domainId: defaultDomainId, email: null, description: '', enabled: true }
  const user = { id: newId(ids), name, defaultProjectId: projectId, ...plain }
  const id = await ensure(store.users, { domainId: defaultDomainId, name }, user)
  for (const target of targets) await store.grants.add({ actor: { kind: 'user', id }, target, roleId })
  const password = ids.hex(16)
  const credential = { userName: name, projectName: name, password }
  await keep?.(credential)
  await store.passwords.set(id, await passwords().hash(password), clock.now())
  return credential
}

async function ensureCatalog(store: IdentityStore, ids: Ids, sketches: readonly ServiceSketch[]): Promise<void> {
  if (!(await store.regions.get(regionName))) {
    await store.regions.insert({ id: regionName, description: '', parentRegionId: null })
  }
  for (const { type, name, url } of sketches) {
    const service: CatalogService = { id: newId(ids), type, name, description: '', enabled: true }
    const serviceId = await ensure(store.services, { type }, service)
    for (const kind of interfaces) {
      const place = { serviceId, regionId: regionName, interface: kind }
      await ensure(store.endpoints, place, { id: newId(ids), ...place, url, enabled: true })
    }
  }
}

/** The id of the one that matches, made first if there is none. */
async function ensure<T extends { readonly id: string }>(
  table: EntityTable<T>,
  match: Partial<T>,
  entity: T,
): Promise<string> {
  const existing = (await table.list(match))[0]
  if (existing) return existing.id
  await table.insert(entity)
  return entity.id
}
