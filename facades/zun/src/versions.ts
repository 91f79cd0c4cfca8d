import { baseUrl } from '@gantry/http'
import type { FastifyInstance } from 'fastify'
import { maxVersion, minVersion } from './microversion.ts'

const collections = [
  'services',
  'containers',
  'images',
  'networks',
  'hosts',
  'capsules',
  'availability_zones',
  'quotas',
  'quota_classes',
  'registries',
]

/** Discovery, open to everybody: clients read it before they log in. `prefix` is where the façade hangs. */
export function versionRoutes(app: FastifyInstance, prefix: string): void {
  app.get('/', (request) => {
    const current = {
      id: 'v1',
      links: [{ href: `${baseUrl(request)}${prefix}/v1/`, rel: 'self' }],
      status: 'CURRENT',
      max_version: maxVersion,
      min_version: minVersion,
    }
    return {
      name: 'OpenStack Zun API',
      description: 'Containers for OpenStack projects, on the hosts of this cloud.',
      versions: [current],
      default_version: current,
    }
  })

  app.get('/v1', (request) => {
    const base = `${baseUrl(request)}${prefix}`
    const pair = (name: string) => [
      { href: `${base}/v1/${name}/`, rel: 'self' },
      { href: `${base}/${name}/`, rel: 'bookmark' },
    ]
    return {
      id: 'v1',
      media_types: [{ base: 'application/json', type: 'application/vnd.openstack.zun.v1+json' }],
      links: [{ href: `${base}/v1/`, rel: 'self' }],
      ...Object.fromEntries(collections.map((name) => [name, pair(name)])),
    }
  })
}
