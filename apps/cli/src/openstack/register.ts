import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { firstOf, identityService } from '@gantry/openstack'
import { exitCodes, Failure, usage } from '../failure.ts'
import type { AdminCloud } from './admin-cloud.ts'
import { enterCatalog, leaveCatalog, type Urls } from './catalog-entries.ts'
import type { Ledger } from './ledger.ts'
import { domainOf, ensureServiceUser } from './service-user.ts'
import { settingsIn, textOfSettings, writePrivately } from './settings-file.ts'

export interface RegisterOptions {
  /** openstack.yaml of the server. */
  readonly file: string
  readonly urls: Urls
  /** The cloud's only one unless told. */
  readonly region: string | undefined
  readonly user: string
  readonly project: string
  readonly domain: string
  readonly password: string | undefined
  readonly reset: boolean
  readonly replace: boolean
}

/**
 * Makes what Gantry needs in the cloud, and its openstack.yaml. What is there already is kept, so it may be repeated: after a
 * failure, with another address, on a second server.
 */
export async function register(admin: AdminCloud, ledger: Ledger, options: RegisterOptions): Promise<void> {
  const { settings, session, cloud, context } = admin
  const identity = identityService(session)
  const region = options.region ?? (await onlyRegion(admin))
  const before = await settingsIn(options.file)
  const known = before?.settings.credential
  const isSameUser =
    known?.kind === 'password' &&
    'name' in known.user &&
    known.user.name === options.user &&
    options.password === undefined
  const password = await ensureServiceUser(
    { identity, cloud, ledger, context },
    {
      name: options.user,
      project: options.project,
      domain: options.domain,
      password: options.password,
      known: isSameUser ? known.password : undefined,
      newPassword: () => randomBytes(24).toString('base64url'),
      reset: options.reset,
    },
  )
  await enterCatalog(identity, ledger, { region, urls: options.urls, replace: options.replace }, context)
  const text = await textOfSettings({
    authUrl: settings.authUrl,
    username: options.user,
    password,
    project: options.project,
    domainId: (await domainOf(identity, options.domain, context)).id,
    region,
    interface: settings.interface,
    caFile: settings.caFile,
    insecure: settings.insecure,
    endpoints: settings.endpoints,
  })
  const done = before === null ? 'created' : before.text === text && before.mode === 0o600 ? 'kept' : 'changed'
  await ledger.note('file', options.file, done, async () => {
    if (done !== 'kept') await writePrivately(options.file, text)
  })
}

/** Takes out of the cloud what `register` put there for this server; roles and the services' project stay. */
export async function unregister(
  admin: AdminCloud,
  ledger: Ledger,
  options: Pick<RegisterOptions, 'file' | 'region' | 'user' | 'domain'>,
): Promise<void> {
  const identity = identityService(admin.session)
  const { context } = admin
  await leaveCatalog(identity, ledger, options.region ?? (await onlyRegion(admin)), context)
  const domain = await domainOf(identity, options.domain, context)
  const user = await firstOf(identity.users.list({ name: options.user, domain_id: domain.id }, context()))
  if (user) await ledger.note('user', options.user, 'removed', () => identity.users.remove(user.id, context()))
  if (await settingsIn(options.file).catch(() => true)) {
    await ledger.note('file', options.file, 'removed', () => rm(options.file))
  }
}

async function onlyRegion({ settings, session, context }: AdminCloud): Promise<string> {
  if (settings.region !== undefined) return settings.region
  const { catalog = [] } = await session.info(context())
  const all = catalog.flatMap(({ endpoints }) => endpoints.map(({ region_id: id, region }) => id ?? region))
  const regions = [...new Set(all.filter((one) => typeof one === 'string'))]
  const [region] = regions
  if (region !== undefined && regions.length === 1) return region
  if (regions.length === 0) return 'RegionOne'
  throw usage(`The cloud has several regions (${regions.join(', ')}): say which with --region.`)
}

/** `http://controller:9700`, also with a path that a proxy takes off; without a slash at the end. */
export function baseUrl(text: string, option: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw usage(`${option} must be http://HOST:PORT or https://HOST:PORT.`)
  const { username, search, hash, hostname } = new URL(text)
  if (username !== '' || search !== '' || hash !== '') throw usage(`${option} must be an address alone.`)
  if (hostname === '0.0.0.0' || hostname === '[::]') {
    throw new Failure(`${option} ${text} is where a server listens, not where clients find it.`, {
      remedy: 'Give the name or address of this machine.',
      exitCode: exitCodes.usage,
    })
  }
  return text.replace(/\/+$/, '')
}
