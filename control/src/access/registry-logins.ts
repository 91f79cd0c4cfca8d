import { createHash } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import type { Caller, ProjectId, RequestId } from '@gantry/model'
import type { GrantCheck, IdentityService, LogIn, Tokens, TokenVerifier, WantedScope } from '../ports/identity.ts'
import type { TokenInfo } from '../ports/identity-model.ts'
import type { Namespaces } from '../ports/namespaces.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { RegistryVerbs } from '../registry-verbs.ts'
import type { Asking, Identified } from './identify.ts'
import { loginsFor, tokenUser } from './registry-user.ts'
import { openRegistryToken, type RegistryAccess, type RegistryGrant, sealRegistryToken } from './registry-tokens.ts'

export interface RegistryLoginDeps {
  readonly identity: TokenVerifier &
    GrantCheck &
    Pick<IdentityService, 'authenticate'> & { readonly tokens: Pick<Tokens, 'issue' | 'projects'> }
  readonly namespaces: Pick<Namespaces, 'projectOf'>
  readonly registry: Pick<RegistryVerbs, 'mayPush'>
  readonly secrets: Secrets
}

export interface BasicLogin {
  readonly username: string
  readonly password: string
}

export interface IssuedRegistryToken {
  readonly token: string
  /** What of the wanted there is. */
  readonly granted: readonly RegistryGrant[]
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface RegistryVisitor extends Identified {
  /** What the token is limited to; null: to nothing. */
  readonly access: RegistryAccess | null
}

/** Logins of registry clients, which know a user name and a password, and nothing of projects. */
export interface RegistryLogins {
  /**
   * Gives a token for what is wanted, as far as the user may have it. It is for the project that the user name says, else for
   * that of the first repository if she has a role there, else for her default one. Throws what logging in throws.
   */
  logIn(login: BasicLogin, wanted: readonly RegistryGrant[], asking: Asking): Promise<IssuedRegistryToken>
  /** Who shows this: one of these tokens, or one of Keystone's. Throws `auth.required`. */
  identify(token: string, requestId: RequestId): Promise<RegistryVisitor>
}

interface Issued {
  readonly token: string
  readonly info: TokenInfo
}

export function createRegistryLogins({ identity, namespaces, registry, secrets }: RegistryLoginDeps): RegistryLogins {
  const { tokens } = identity

  /** The same password may be a user's or an application credential's: only trying tells. */
  async function prove(
    login: BasicLogin,
    { address, requestId }: Asking,
  ): Promise<{ issued: Issued; isFixed: boolean }> {
    let refusal: unknown
    for (const { logIn, scope } of loginsFor(login)) {
      try {
        if (logIn.method === 'token') {
          // Itself, and not one made from it, which would outlive it.
          const { token: info } = await identity.authenticate(logIn.token, requestId)
          return { issued: { token: logIn.token, info }, isFixed: false }
        }
        return { issued: await tokens.issue(logIn, scope, address), isFixed: scope.kind === 'project' }
      } catch (error) {
        if (!isCode(error, 'auth.failed', 'auth.required')) throw error
        refusal ??= error
      }
    }
    throw refusal ?? new Fault('auth.failed')
  }

  async function toProject(issued: Issued, projectId: ProjectId, { address }: Asking): Promise<Issued | null> {
    const { scope } = issued.info
    if (scope.kind === 'project' && scope.project.id === projectId) return issued
    const logIn: LogIn = { method: 'token', token: issued.token }
    const wanted: WantedScope = { kind: 'project', project: { id: projectId } }
    return tokens.issue(logIn, wanted, address).catch((error: unknown) => {
      // No role there, or an application credential, which has one project only.
      if (isCode(error, 'auth.no-access', 'identity.refused')) return null
      throw error
    })
  }

  /** Every token is of some project. A user without a default one works in the first that she has a role in. */
  async function usual(issued: Issued, asking: Asking): Promise<Issued> {
    if (issued.info.scope.kind === 'project') return issued
    const asker = await identity.authenticate(issued.token, asking.requestId)
    const [first] = (await tokens.projects(asker)).toSorted((one, other) => (one.id < other.id ? -1 : 1))
    const scoped = first && (await toProject(issued, first.id as ProjectId, asking))
    if (!scoped) throw new Fault('auth.no-access', { user: issued.info.user.name, scope: 'any project' })
    return scoped
  }

  async function projectOfFirst(wanted: readonly RegistryGrant[]): Promise<ProjectId | null> {
    const first = wanted.find(({ type }) => type === 'repository')
    const namespace = first?.name.split('/', 1)[0] ?? ''
    return namespace === '' ? null : namespaces.projectOf(namespace)
  }

  /** Of what is there and of what is not the same is said: only that one may not push to it. */
  async function judged(caller: Caller, wanted: readonly RegistryGrant[]): Promise<RegistryAccess> {
    const granted: RegistryGrant[] = []
    const refused: RegistryGrant[] = []
    for (const { type, name, actions } of wanted) {
      const isRepository = type === 'repository'
      const isWriting = isRepository && actions.some((action) => action !== 'pull')
      const mayWrite = isWriting && (await registry.mayPush(caller, name).catch(refusedName))
      const all = isRepository && actions.includes('*') ? ['pull', 'push', 'delete'] : actions
      const may = (action: string) => !isRepository || action === 'pull' || mayWrite
      granted.push({ type, name, actions: all.filter(may) })
      refused.push({ type, name, actions: all.filter((action) => !may(action)) })
    }
    return { granted: granted.filter(isSome), refused: refused.filter(isSome) }
  }

  return {
    async logIn(login, wanted, asking) {
      const { issued, isFixed } = await prove(login, asking)
      const projectId = isFixed ? null : await projectOfFirst(wanted)
      const theirs = projectId && (await toProject(issued, projectId, asking))
      const { token: used, info } = theirs ?? (await usual(issued, asking))
      const access = await judged(await identity.verify(used, asking.requestId), wanted)
      const shown = login.username === tokenUser && used !== issued.token ? [issued.token] : []
      const token = sealRegistryToken(secrets, { keystone: [used, ...shown], access })
      return { token, granted: access.granted, issuedAt: info.issuedAt, expiresAt: info.expiresAt }
    },

    async identify(text, requestId) {
      const own = openRegistryToken(secrets, text)
      const [used, ...others] = own?.keystone ?? [text]
      for (const token of others) await identity.authenticate(token, requestId)
      const caller = await identity.verify(used, requestId)
      const standing = await Promise.all([used, ...others].map(async (token) => identity.follow(token)))
      const credential = createHash('sha256')
        .update(JSON.stringify(['token', used, ...others]))
        .digest('hex')
      const stillGranted = async () => (await Promise.all(standing.map(async (stands) => stands()))).every(Boolean)
      return { caller, credential, stillGranted, access: own?.access ?? null }
    },
  }
}

function isSome({ actions }: RegistryGrant): boolean {
  return actions.length > 0
}

function refusedName(error: unknown): false {
  if (isCode(error, 'repository.invalid')) return false
  throw error
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Fault && codes.includes(error.code)
}
