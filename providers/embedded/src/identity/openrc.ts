import { regionName } from './bootstrap.ts'

export interface OpenrcOptions {
  /** `http://host:port/identity/v3`. */
  readonly authUrl: string
  /** Where the Docker API is: `http://host:port`. */
  readonly docker?: string
  readonly userName: string
  readonly projectName: string
  readonly password: string
  /** The CA that vouches for an `https` address. */
  readonly caFile?: string
}

/** A file to `source` before `openstack`, `zun` and every other client of OpenStack. It holds the password: mode 0600. */
export function renderOpenrc({ authUrl, docker, userName, projectName, password, caFile }: OpenrcOptions): string {
  const settings = {
    OS_AUTH_URL: authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: userName,
    OS_PASSWORD: password,
    OS_PROJECT_NAME: projectName,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: regionName,
    ...(caFile === undefined ? {} : { OS_CACERT: caFile }),
    ...(docker === undefined ? {} : { DOCKER_SERVER: docker, GANTRY_DOCKER_URL: docker }),
  }
  // Left over from another cloud's file, they would win over the settings below.
  const stale = ['OS_AUTH_TYPE', 'OS_TOKEN', 'OS_CLOUD', 'OS_SYSTEM_SCOPE', 'OS_PROJECT_ID', 'OS_USER_ID', 'OS_CACERT']
  const lines = Object.entries(settings).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return [`unset ${stale.join(' ')}`, ...lines, ''].join('\n')
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`
}
