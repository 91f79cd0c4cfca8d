import Type, { type Static } from 'typebox'
import type { ContainerId } from './ids.ts'

const StringMap = Type.Record(Type.String(), Type.String())
const Strings = Type.Array(Type.String())

/** One port of a container that the outside reaches on the project's public address. */
export const Publish = Type.Object({
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
  containerPort: Type.Integer({ minimum: 1, maximum: 65_535 }),
  /** null: a free one is chosen at each start. */
  publicPort: Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Null()]),
  /** A floating IP of the project's that was asked for; null: the one that all its published ports share. */
  address: Type.Union([Type.String(), Type.Null()]),
})
export type Publish = Static<typeof Publish>

/**
 * What may be said of a container beside what every façade knows, most of it by users of the Docker API only. All parts are
 * optional; an absent one is the image's or the engine's own. See `isConfined`.
 */
export const RunOptions = Type.Object({
  user: Type.Optional(Type.String()),
  groupAdd: Type.Optional(Strings),
  domainname: Type.Optional(Type.String()),
  stopSignal: Type.Optional(Type.String()),
  stopTimeoutSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
  init: Type.Optional(Type.Boolean()),
  readonlyRootfs: Type.Optional(Type.Boolean()),
  /** By path in the container: mount options. */
  tmpfs: Type.Optional(StringMap),
  /** Bytes. */
  shmSize: Type.Optional(Type.Integer({ minimum: 0 })),
  ulimits: Type.Optional(Type.Array(Type.Object({ name: Type.String(), soft: Type.Integer(), hard: Type.Integer() }))),
  sysctls: Type.Optional(StringMap),
  capAdd: Type.Optional(Strings),
  capDrop: Type.Optional(Strings),
  extraHosts: Type.Optional(Strings),
  dns: Type.Optional(Strings),
  dnsSearch: Type.Optional(Strings),
  dnsOptions: Type.Optional(Strings),
  ipcMode: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('private'), Type.Literal('shareable')])),
  cpuShares: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Bytes. */
  memoryReservation: Type.Optional(Type.Integer({ minimum: 0 })),
  pidsLimit: Type.Optional(Type.Integer({ minimum: 1 })),
  oomScoreAdj: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  /** Of the service's own log driver: `max-size`, `max-file`. */
  logOptions: Type.Optional(StringMap),
  /** In the Engine API's words: `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", …]`; times in nanoseconds, 0: the engine's default. */
  healthcheck: Type.Optional(
    Type.Object({
      test: Strings,
      interval: Type.Integer({ minimum: 0 }),
      timeout: Type.Integer({ minimum: 0 }),
      startPeriod: Type.Integer({ minimum: 0 }),
      startInterval: Type.Integer({ minimum: 0 }),
      retries: Type.Integer({ minimum: 0 }),
    }),
  ),
  /** Names beside the container's own that others find it by, by network id. */
  aliases: Type.Optional(Type.Record(Type.String(), Strings)),
  /** Further names under which it finds others of its project. */
  links: Type.Optional(
    Type.Array(Type.Object({ containerId: Type.Unsafe<ContainerId>(Type.String()), alias: Type.String() })),
  ),
  publish: Type.Optional(Type.Array(Publish)),
  /** Each port that it or its image exposes is published too, on a free public port. */
  publishAll: Type.Optional(Type.Boolean()),
  /** Fields of the Engine API's HostConfig that policy granted, as they were sent. */
  granted: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** `Config`, `HostConfig` … as they were asked for: shown again, never acted upon. */
  asked: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type RunOptions = Static<typeof RunOptions>

/** They say only how others reach it. */
const ofNetwork: readonly string[] = ['publish', 'publishAll', 'aliases', 'links'] satisfies (keyof RunOptions)[]

/**
 * Whether a Docker client made it, or something that works for one. Such a container is confined: no new privileges, no raw
 * sockets, bounded processes; and it gives up its addresses when it has stopped.
 */
export function isConfined(options: RunOptions | undefined): options is RunOptions {
  const said = Object.keys(options ?? {})
  return options !== undefined && (said.length === 0 || said.some((name) => !ofNetwork.includes(name)))
}
