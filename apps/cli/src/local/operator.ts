import { existsSync } from 'node:fs'
import type { Credential, Named } from '@gantry/openstack'
import { type Openrc, readOpenrc } from './cloud.ts'
import type { Home } from './home.ts'

/** The server of this home keeps no users of its own: Keystone of an OpenStack does. */
export function isBesideOpenStack(home: Home): boolean {
  return existsSync(home.openstack)
}

/** As whom this machine's own programs ask for what is for administrators; null: nobody was made yet. */
export async function operatorOf(home: Home): Promise<Openrc | null> {
  if (!isBesideOpenStack(home)) return existsSync(home.openrcAdmin) ? readOpenrc(home.openrcAdmin) : null
  const { readCloudSettings } = await import('@gantry/providers-openstack/settings')
  const { authUrl, credential, caFile } = await readCloudSettings(home.openstack)
  return { OS_AUTH_URL: authUrl, ...(caFile !== undefined && { OS_CACERT: caFile }), ...variablesOf(credential) }
}

function variablesOf(credential: Credential): Openrc {
  if (credential.kind === 'application-credential' && typeof credential.id === 'string') {
    return { OS_APPLICATION_CREDENTIAL_ID: credential.id, OS_APPLICATION_CREDENTIAL_SECRET: credential.secret }
  }
  if (credential.kind !== 'password' || credential.scope.kind !== 'project') return {}
  const { user, password, scope } = credential
  return {
    OS_PASSWORD: password,
    ...named('USER', 'USERNAME', user),
    ...named('PROJECT', 'PROJECT_NAME', scope.project),
  }
}

function named(prefix: string, nameKey: string, one: Named): Openrc {
  if ('id' in one) return { [`OS_${prefix}_ID`]: one.id }
  const { name, domain } = one
  const where =
    'id' in domain ? { [`OS_${prefix}_DOMAIN_ID`]: domain.id } : { [`OS_${prefix}_DOMAIN_NAME`]: domain.name }
  return { [`OS_${nameKey}`]: name, ...where }
}
