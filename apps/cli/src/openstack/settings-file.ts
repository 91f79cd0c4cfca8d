import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type CloudSettings, cloudSettings } from '@gantry/providers-openstack/settings'

export interface WrittenSettings {
  readonly authUrl: string
  readonly username: string
  readonly password: string
  readonly project: string
  /** Of user and project. */
  readonly domainId: string
  readonly region: string
  readonly interface: 'public' | 'internal' | 'admin'
  /** Absolute. */
  readonly caFile: string | undefined
  readonly insecure: boolean
  readonly endpoints: Readonly<Record<string, string>>
}

/** What `gantry server` reads: the keys that one cloud has in a clouds.yaml. */
export async function textOfSettings(settings: WrittenSettings): Promise<string> {
  const { stringify } = await import('yaml')
  const { caFile, insecure, endpoints } = settings
  const document = {
    auth: {
      auth_url: settings.authUrl,
      username: settings.username,
      password: settings.password,
      project_name: settings.project,
      user_domain_id: settings.domainId,
      project_domain_id: settings.domainId,
    },
    region_name: settings.region,
    interface: settings.interface,
    ...(caFile !== undefined && { cacert: caFile }),
    ...(insecure && { verify: false }),
    ...Object.fromEntries(
      Object.entries(endpoints).map(([type, url]) => [`${type.replaceAll('-', '_')}_endpoint_override`, url]),
    ),
  }
  const head =
    '# The OpenStack that gantry server works beside. Written by gantry openstack register; holds a password.\n'
  return head + stringify(document)
}

/** Null: there is none. Throws `machine.unfit` if it is no good. */
export async function settingsIn(
  file: string,
): Promise<{ text: string; mode: number; settings: CloudSettings } | null> {
  try {
    const text = await readFile(file, 'utf8')
    const { parse } = await import('yaml')
    return { text, mode: (await stat(file)).mode & 0o777, settings: cloudSettings(parse(text), file) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** The whole of it or nothing, and never readable by others. */
export async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.new`
  await rm(fresh, { force: true })
  await writeFile(fresh, text, { mode: 0o600, flag: 'wx' })
  await chmod(fresh, 0o600)
  await rename(fresh, file)
}
