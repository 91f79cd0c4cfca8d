import type { MicroversionRange } from './versions.ts'

/** A service as this package knows it. */
export interface ServiceKind {
  /** In errors and notes. */
  readonly name: string
  /** In the catalog, the best first. */
  readonly types: readonly [string, ...string[]]
  /** The version of the API, and the usual segment of its paths; null: the catalog's URL is taken as it is. */
  readonly api: { readonly major: number; readonly usual: string } | null
  readonly microversions?: MicroversionRange & {
    /** In `OpenStack-API-Version: <header> 2.90`. */
    readonly header: string
    /** Its header, where it has one of its own that holds the version alone. */
    readonly ownHeader?: string
    /** Of the API that has them. */
    readonly major: number
  }
}

export const kinds = {
  identity: { name: 'identity', types: ['identity'], api: { major: 3, usual: 'v3' } },
  image: { name: 'image', types: ['image'], api: { major: 2, usual: 'v2' } },
  network: { name: 'network', types: ['network'], api: { major: 2, usual: 'v2.0' } },
  volume: {
    name: 'volume',
    types: ['block-storage', 'volumev3', 'volume', 'block-store'],
    api: { major: 3, usual: 'v3' },
    // 3.44: attachments are completed by a call of their own. 3.59: no later one changes what is used here.
    microversions: { header: 'volume', major: 3, least: '3.44', most: '3.59' },
  },
  share: {
    name: 'share',
    types: ['shared-file-system', 'sharev2'],
    api: { major: 2, usual: 'v2' },
    // 2.45: access rules have metadata, by which we know ours. 2.65: no later one changes what is used here.
    microversions: {
      header: 'shared-file-system',
      ownHeader: 'x-openstack-manila-api-version',
      major: 2,
      least: '2.45',
      most: '2.65',
    },
  },
  objectStore: { name: 'object-store', types: ['object-store'], api: null },
  orchestration: { name: 'orchestration', types: ['orchestration'], api: { major: 1, usual: 'v1' } },
  compute: {
    name: 'compute',
    types: ['compute'],
    api: { major: 2, usual: 'v2.1' },
    // 2.53: hypervisors have UUIDs. 2.88 takes their figures away.
    microversions: { header: 'compute', major: 2, least: '2.53', most: '2.87' },
  },
  placement: {
    name: 'placement',
    types: ['placement'],
    api: null,
    microversions: { header: 'placement', major: 1, least: '1.10', most: '1.39' },
  },
} as const satisfies Record<string, ServiceKind>
