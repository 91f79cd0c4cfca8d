import type { GrantTarget, Named, Project, Ref, TokenScope, User, WantedScope } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { findDomainId, type Proof } from './log-in.ts'
import type { Parts } from './parts.ts'

export interface Scoped {
  readonly scope: TokenScope
  readonly roles: readonly Named[]
}

const unscoped: Scoped = { scope: { kind: 'unscoped' }, roles: [] }
const system: GrantTarget = { kind: 'system', id: 'all' }

/** The scope asked for, with the roles there. Throws `auth.no-access`, alike for unknown, disabled and foreign ones. */
export async function resolveScope(parts: Parts, proof: Proof, wanted: WantedScope): Promise<Scoped> {
  if (proof.appCredential) return appCredentialScope(parts, proof, wanted)
  switch (wanted.kind) {
    case 'unscoped':
      return unscoped
    case 'default':
      return defaultScope(parts, proof)
    case 'system':
      return systemScope(parts, proof.user)
    case 'project': {
      const project = await findProject(parts, wanted.project)
      const scoped = project && (await projectScope(parts, proof.user, project))
      return scoped ?? noAccess(proof.user, `project ${nameOf(wanted.project)}`)
    }
    case 'domain': {
      const id = await findDomainId(parts.store, wanted.domain)
      const scoped = id === undefined ? undefined : await domainScope(parts, proof.user, id)
      return scoped ?? noAccess(proof.user, `domain ${nameOf(wanted.domain)}`)
    }
  }
}

async function defaultScope(parts: Parts, { user, parent }: Proof): Promise<Scoped> {
  if (parent) return sameScope(parts, user, parent.scope)
  const project = user.defaultProjectId === null ? undefined : await parts.store.projects.get(user.defaultProjectId)
  return (project && (await projectScope(parts, user, project))) ?? unscoped
}

/** Asked anew, because roles may have been added since. */
async function sameScope(parts: Parts, user: User, scope: TokenScope): Promise<Scoped> {
  switch (scope.kind) {
    case 'unscoped':
      return unscoped
    case 'system':
      return systemScope(parts, user)
    case 'domain':
      return (await domainScope(parts, user, scope.domain.id)) ?? noAccess(user, `domain ${scope.domain.name}`)
    case 'project': {
      const project = await parts.store.projects.get(scope.project.id)
      const scoped = project && (await projectScope(parts, user, project))
      return scoped ?? noAccess(user, `project ${scope.project.name}`)
    }
  }
}

async function appCredentialScope(parts: Parts, { user, appCredential }: Proof, wanted: WantedScope): Promise<Scoped> {
  if (wanted.kind !== 'default') {
    throw new Fault('auth.required', { reason: 'an application credential has its own scope; ask for none' })
  }
  const project = appCredential && (await parts.store.projects.get(appCredential.projectId))
  const scoped = project && (await projectScope(parts, user, project))
  // What the user has lost, the credential has lost too.
  const roles = scoped?.roles.filter(({ id }) => appCredential?.roleIds.includes(id)) ?? []
  if (!scoped || roles.length === 0) throw new Fault('auth.failed')
  return { scope: scoped.scope, roles }
}

async function projectScope({ store }: Parts, user: User, project: Project): Promise<Scoped | undefined> {
  const domain = await store.domains.get(project.domainId)
  if (!project.enabled || !domain?.enabled) return undefined
  const roles = await store.grants.rolesOf(user.id, { kind: 'project', id: project.id })
  if (roles.length === 0) return undefined
  return { scope: { kind: 'project', project: { ...named(project), domain: named(domain) } }, roles: roles.map(named) }
}

async function domainScope({ store }: Parts, user: User, id: string): Promise<Scoped | undefined> {
  const domain = await store.domains.get(id)
  if (!domain?.enabled) return undefined
  const roles = await store.grants.rolesOf(user.id, { kind: 'domain', id })
  return roles.length === 0 ? undefined : { scope: { kind: 'domain', domain: named(domain) }, roles: roles.map(named) }
}

async function systemScope({ store }: Parts, user: User): Promise<Scoped> {
  const roles = await store.grants.rolesOf(user.id, system)
  return roles.length === 0 ? noAccess(user, 'the system') : { scope: { kind: 'system' }, roles: roles.map(named) }
}

async function findProject({ store }: Parts, ref: Ref): Promise<Project | undefined> {
  if ('id' in ref) return store.projects.get(ref.id)
  const domainId = await findDomainId(store, ref.domain)
  return domainId === undefined ? undefined : (await store.projects.list({ domainId, name: ref.name }))[0]
}

export function named({ id, name }: Named): Named {
  return { id, name }
}

function nameOf(ref: { readonly id: string } | { readonly name: string }): string {
  return 'id' in ref ? ref.id : ref.name
}

function noAccess(user: User, scope: string): never {
  throw new Fault('auth.no-access', { user: user.name, scope })
}
