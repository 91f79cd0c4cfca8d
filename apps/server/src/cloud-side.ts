import type {
  Cluster,
  Control,
  IdentityProvider,
  ImageExchange,
  Namespaces,
  NetworkProvider,
  Secrets,
  Store,
  VolumeProvider,
} from '@gantry/control'
import type { Clock, Ids } from '@gantry/kernel'
import type { createHttpApp } from '@gantry/http'
import type { Logger } from 'pino'

type HttpApp = ReturnType<typeof createHttpApp>

/** What differs between a server that is all of the cloud and one beside an OpenStack. */
export interface CloudSide {
  /** Where clients log in; null: below our own address. */
  readonly identityUrl: string | null
  readonly identity: IdentityProvider
  readonly namespaces: Namespaces
  readonly networks: NetworkProvider
  /** null: volumes are on the disks of the hosts. */
  readonly volumes: VolumeProvider | null
  /** Where images are kept beside our catalogue. */
  readonly imageExchange?: ImageExchange
  /** Façades of services that there are nowhere else. */
  mount(app: HttpApp, control: Control): Promise<void>
  /** Makes good what a dead server left half done; then goes on with it. Before the first request. */
  begin(): Promise<void>
  /** The server listens: whoever may use it must learn how. Answers whether the cloud was made just now. */
  welcome(at: Addresses): Promise<boolean>
  close(): Promise<void>
}

/** Under which clients on this machine reach the server. */
export interface Addresses {
  readonly api: string
  readonly docker: string
  /** The API speaks TLS with a certificate of our authority. */
  readonly secure: boolean
}

export interface CloudSideParts {
  readonly home: string
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly secrets: Secrets
  /** Absent: this server is the only one that there can be. */
  readonly servers?: Cluster
  /** Of this cloud: marks what is made for it elsewhere. */
  readonly deployment: string
}
