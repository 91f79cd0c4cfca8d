import type { Asker, CatalogEntry, Domain, IdentityService, Project, TokenInfo, Tokens } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { prove } from './log-in.ts'
import { newId, type Parts } from './parts.ts'
import { isAdmin } from './policy.ts'
import { named, resolveScope } from './scopes.ts'
import { subject } from './tokens.ts'

export function tokenService(parts: Parts): Tokens {
  const { store, box, clock } = parts
  return {
    async issue(logIn, wanted, address) {
      // Taken first: whatever is revoked while the roles are being read covers this token too.
      const issuedAt = clock.now()
      const proof = await prove(parts, logIn, address)
      const { scope, roles } = await resolveScope(parts, proof, wanted)
      const domain = await store.domains.get(proof.user.domainId)
      if (!domain) throw new Fault('auth.failed')
      const info: TokenInfo = {
        methods: proof.methods,
        user: { ...named(proof.user), domain: named(domain) },
        scope,
        roles,
        auditIds: [newId(parts.ids), ...(proof.parent?.auditIds.slice(-1) ?? [])],
        issuedAt,
        expiresAt: Math.min(issuedAt + parts.tokenLifeMs, limitOf(proof.parent, proof.appCredential)),
        appCredential: proof.appCredential && {
          ...named(proof.appCredential),
          restricted: !proof.appCredential.unrestricted,
        },
      }
      return { token: await box.seal(info), info }
    },
    check: (asker, token) => checkToken(parts, asker, token),
    async revoke(asker, token) {
      const info = await checkToken(parts, asker, token)
      const own = info.auditIds[0]
      if (own !== undefined) await box.revoke(subject.token(own))
    },
    catalog: () => catalog(parts),
    async projects(asker) {
      return projectsOf(parts, asker.token.user.id)
    },
    async domains(asker) {
      const ids = await store.grants.targetsOf(asker.token.user.id, 'domain')
      const domains = await Promise.all(ids.map((id) => store.domains.get(id)))
      return domains.filter((domain): domain is Domain => domain?.enabled === true)
    },
    async system(asker) {
      return (await store.grants.targetsOf(asker.token.user.id, 'system')).length > 0
    },
  }
}

/** A token never outlives what it was made from. */
function limitOf(...sources: readonly ({ readonly expiresAt: number | null } | null)[]): number {
  return Math.min(...sources.map((source) => source?.expiresAt ?? Number.POSITIVE_INFINITY))
}

export async function authenticate({ box }: Parts, token: string, requestId: Asker['requestId']): Promise<Asker> {
  const info = await box.open(token)
  return { token: info, isAdmin: isAdmin(info.roles), requestId }
}

async function checkToken({ box }: Parts, asker: Asker, token: string): Promise<TokenInfo> {
  const mayCheckAll = asker.isAdmin || asker.token.roles.some(({ name }) => name === 'service')
  try {
    const info = await box.open(token)
    if (mayCheckAll || info.user.id === asker.token.user.id) return info
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'auth.required') throw error
  }
  throw new Fault('identity.not-found', { type: 'token', ref: 'of X-Subject-Token' })
}

async function catalog({ store }: Parts): ReturnType<IdentityService['tokens']['catalog']> {
  const [services, endpoints] = await Promise.all([
    store.services.list({ enabled: true }),
    store.endpoints.list({ enabled: true }),
  ])
  const entries: CatalogEntry[] = services.map((service) => ({
    service,
    endpoints: endpoints.filter(({ serviceId }) => serviceId === service.id),
  }))
  return entries.filter((entry) => entry.endpoints.length > 0)
}

export async function projectsOf({ store }: Parts, userId: string): Promise<Project[]> {
  const ids = await store.grants.targetsOf(userId, 'project')
  const projects = await Promise.all(ids.map((id) => store.projects.get(id)))
  return projects.filter((project): project is Project => project?.enabled === true)
}
