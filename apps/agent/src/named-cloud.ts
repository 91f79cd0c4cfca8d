import { type Cloud, openCloud } from '@gantry/openstack'
import { type CloudSettings, cloudSettings, readCloudSettings } from '@gantry/providers-openstack/settings'
import { UsageError } from './options.ts'

/** The cloud that a file names; null: the one that OpenStack's usual variables do. Rejects with a sentence. */
export async function cloudNamed(
  file: string | null,
  env: NodeJS.ProcessEnv,
  warn: (sentence: string) => void,
): Promise<CloudSettings> {
  return file === null ? cloudSettings(...fromEnvironment(env)) : readCloudSettings(file, warn)
}

export function openNamed({
  authUrl,
  region,
  interface: kind,
  caFile,
  insecure,
  endpoints,
}: CloudSettings): Promise<Cloud> {
  return openCloud({
    authUrl,
    interface: kind,
    insecure,
    endpoints,
    ...(region !== undefined && { region }),
    ...(caFile !== undefined && { caFile }),
  })
}

/** OpenStack's usual variables in the form of the file. */
function fromEnvironment(env: NodeJS.ProcessEnv): [object, string] {
  if (env['OS_AUTH_URL'] === undefined) throw new UsageError('Which cloud? Give --cloud FILE, or set OS_AUTH_URL.')
  const keys = [
    'auth_url',
    'username',
    'user_id',
    'password',
    'project_name',
    'project_id',
    'user_domain_name',
    'user_domain_id',
    'project_domain_name',
    'project_domain_id',
    'application_credential_id',
    'application_credential_secret',
  ]
  const pick = (all: readonly string[]) =>
    Object.fromEntries(
      all.flatMap((key) => {
        const value = env[`OS_${key.toUpperCase()}`]
        return value === undefined || value === '' ? [] : [[key, value]]
      }),
    )
  return [{ auth: pick(keys), ...pick(['region_name', 'interface', 'cacert']) }, 'OS_* of the environment']
}
