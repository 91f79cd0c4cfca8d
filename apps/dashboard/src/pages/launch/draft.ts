import type { CreateContainer } from '@gantry/facade-native/views'

/** What stands in the fields of the form, as it was typed. */
export interface Draft {
  readonly image: string
  readonly registry: string
  readonly name: string
  readonly count: string
  readonly zone: string
  readonly size: string
  readonly cpu: string
  readonly memory: string
  readonly disk: string
  readonly nets: readonly NetDraft[]
  readonly groups: readonly string[]
  readonly ports: string
  readonly publish: readonly PublishDraft[]
  readonly mounts: readonly MountDraft[]
  readonly environment: readonly PairDraft[]
  readonly labels: readonly PairDraft[]
  readonly command: string
  readonly restart: Restart
  readonly retries: string
  readonly autoRemove: boolean
  readonly interactive: boolean
}

export interface NetDraft {
  readonly network: string
  readonly address: string
}

export interface PublishDraft {
  /** Empty: a free one. */
  readonly publicPort: string
  readonly containerPort: string
  readonly protocol: 'tcp' | 'udp'
}

export interface MountDraft {
  /** Of a volume; empty: a new one. */
  readonly volume: string
  readonly size: string
  readonly destination: string
  readonly readOnly: boolean
}

export interface PairDraft {
  readonly key: string
  readonly value: string
}

export const restarts = ['no', 'always', 'unless-stopped', 'on-failure'] as const
export type Restart = (typeof restarts)[number]

export interface Size {
  readonly id: string
  readonly cpu: number
  /** MiB. */
  readonly memory: number
}

export const sizes: readonly Size[] = [
  { id: 'nano', cpu: 0.1, memory: 64 },
  { id: 'tiny', cpu: 0.25, memory: 256 },
  { id: 'small', cpu: 0.5, memory: 512 },
  { id: 'medium', cpu: 1, memory: 2048 },
  { id: 'large', cpu: 2, memory: 4096 },
  { id: 'huge', cpu: 4, memory: 16_384 },
]

/** Of one's own making: the fields count. */
export const ownSize = 'own'

export const newDraft: Draft = {
  image: '',
  registry: '',
  name: '',
  count: '1',
  zone: '',
  size: 'small',
  cpu: '0.5',
  memory: '512',
  disk: '',
  nets: [],
  groups: [],
  ports: '',
  publish: [],
  mounts: [],
  environment: [],
  labels: [],
  command: '',
  restart: 'no',
  retries: '',
  autoRemove: false,
  interactive: false,
}

/** What is asked of the server. */
export interface Wanted {
  readonly count: number
  readonly container: CreateContainer
}
