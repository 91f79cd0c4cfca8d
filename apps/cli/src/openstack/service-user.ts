import { allOf, type Cloud, type Context, firstOf, type IdentityService, isOpenStackError } from '@gantry/openstack'
import { Failure } from '../failure.ts'
import type { Ledger } from './ledger.ts'

export interface ServiceUserOptions {
  readonly name: string
  /** Of services' users; `service` in most clouds, `services` in some. */
  readonly project: string
  /** Of both. */
  readonly domain: string
  /** To have from now on; undefined: the one that is known, or a new one. */
  readonly password: string | undefined
  /** What openstack.yaml says of this user. */
  readonly known: string | undefined
  readonly newPassword: () => string
  readonly reset: boolean
}

/** Those that Gantry's users are told apart by; clouds older than 2023 lack some. */
const roles = ['admin', 'member', 'reader', 'service']
/** `admin` to bind ports and see every project's; `service` to vouch for users whose tokens end in mid-operation. */
const ownRoles = ['admin', 'service']

/** The user that the server is, with what it needs; answers with its password. */
export async function ensureServiceUser(
  { identity, cloud, ledger, context }: IdentityParts,
  options: ServiceUserOptions,
): Promise<string> {
  const roleIds = new Map<string, string | null>()
  for (const name of roles) {
    const found = await firstOf(identity.roles.list({ name }, context()))
    const role = await ledger.ensure('role', name, found, () => identity.roles.create({ name }, context()))
    roleIds.set(name, role?.id ?? null)
  }
  const domain = await domainOf(identity, options.domain, context)
  const named = { name: options.project, domain_id: domain.id }
  const foundProject = await firstOf(identity.projects.list(named, context()))
  const project = await ledger.ensure('project', options.project, foundProject, () =>
    identity.projects.create({ ...named, description: 'Users of services' }, context()),
  )
  const { user, password } = await ensureUser({ identity, cloud, ledger, context }, domain, options)
  const held = user && project ? await heldBy(identity, user.id, project.id, context) : new Set<string>()
  for (const name of ownRoles) {
    const label = `${name} of user ${options.name} in project ${options.project}`
    const roleId = roleIds.get(name)
    if (roleId && held.has(roleId)) await ledger.note('role', label, 'kept')
    else {
      await ledger.note('role', label, 'created', () =>
        identity.grant({ projectId: project?.id ?? '', userId: user?.id ?? '', roleId: roleId ?? '' }, context()),
      )
    }
  }
  return password
}

export interface IdentityParts {
  readonly identity: IdentityService
  readonly cloud: Cloud
  readonly ledger: Ledger
  readonly context: () => Context
}

async function ensureUser(parts: IdentityParts, domain: { id: string }, options: ServiceUserOptions) {
  const { identity, ledger, context } = parts
  const { name, known } = options
  const found = await firstOf(identity.users.list({ name, domain_id: domain.id }, context()))
  const fresh = () => options.password ?? options.newPassword()
  if (!found) {
    const password = options.password ?? known ?? options.newPassword()
    const body = { name, domain_id: domain.id, password, description: 'Gantry' }
    return { user: await ledger.ensure('user', name, null, () => identity.users.create(body, context())), password }
  }
  const wished = options.password ?? known
  if (found.enabled && wished !== undefined && (await isPassword(parts, found.id, wished))) {
    await ledger.note('user', name, 'kept')
    return { user: found, password: wished }
  }
  // Another server may be using the one that the user has.
  if (options.password === undefined && !options.reset) throw unknownPassword(name, known !== undefined)
  const password = fresh()
  await ledger.note('user', `${name} (password)`, 'changed', () =>
    identity.users.update(found.id, { password, enabled: true }, context()),
  )
  return { user: found, password }
}

async function isPassword({ cloud, context }: IdentityParts, id: string, password: string): Promise<boolean> {
  const session = cloud.session({ kind: 'password', user: { id }, password, scope: { kind: 'unscoped' } })
  try {
    await session.token(context())
    return true
  } catch (error) {
    if (isOpenStackError(error, 401)) return false
    throw error
  }
}

async function heldBy(
  identity: IdentityService,
  userId: string,
  projectId: string,
  context: () => Context,
): Promise<ReadonlySet<string>> {
  const held = await allOf(identity.grants({ userId, projectId }, context()))
  return new Set(held.map(({ id }) => id))
}

/** By name or id: the default one's id is `default`, whatever it is called. */
export async function domainOf(identity: IdentityService, ref: string, context: () => Context) {
  const found = await firstOf(identity.domains.list({ name: ref }, context()))
  if (found) return found
  try {
    return await identity.domains.show(ref.toLowerCase() === 'default' ? 'default' : ref, context())
  } catch (error) {
    if (!isOpenStackError(error, 404)) throw error
    throw new Failure(`There is no domain ${ref}.`, { remedy: 'Name one with --domain.', cause: error })
  }
}

function unknownPassword(name: string, known: boolean): Failure {
  const problem = known
    ? `The password in openstack.yaml is not that of user ${name}.`
    : `There is a user ${name} already, and its password is not known here.`
  return new Failure(problem, {
    remedy:
      'If another server of this cloud is Gantry too, copy its openstack.yaml or give the password in GANTRY_SERVICE_PASSWORD; ' +
      'else let it be changed with --reset-password.',
  })
}
